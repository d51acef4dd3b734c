(** * Units

    A unit of the first layer sees one input, and tells on which side of a threshold it is: it fires, or it is
    silent. So it is on every path, under the side conditions that the kernel checks; each of them is a
    hypothesis here, with the name of the error that the kernel gives where it does not hold. *)

From Coq Require Import ZArith List Permutation Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Network.

Import ListNotations.
Open Scope R_scope.

(** ** A neuron of one term *)

Lemma leaves_some : forall t, (1 <= length (leaves t))%nat.
Proof. induction t; simpl; [lia | rewrite app_length; lia]. Qed.

Lemma one_leaf : forall t, length (leaves t) = 1%nat -> exists l, t = Leaf l.
Proof.
  intros [l | a b]; [now exists l |]. simpl. rewrite app_length.
  pose proof (leaves_some a). pose proof (leaves_some b). lia.
Qed.

Lemma evaluates_product_exact : forall A w x y,
  value A (w * x) -> evaluates A (Leaf (Product w x)) y -> y = w * x.
Proof. intros A w x y V E. inversion E; subst. now apply rounds_value_exact with A. Qed.

(** If the product of a neuron of one term is a value, contraction makes no difference: one sum is rounded. *)
Lemma sums_one_term : forall A b w x s,
  value A (w * x) -> sums A b [(w, x)] s -> rounds A (b + w * x) s.
Proof.
  intros A b w x s V (t & P & E).
  unfold leaves_of in P; simpl in P.
  destruct t as [l | t1 t2]; [apply Permutation_length in P; discriminate P |].
  assert (L : length (leaves t1 ++ leaves t2) = 2%nat) by now apply Permutation_length in P.
  rewrite app_length in L. pose proof (leaves_some t1). pose proof (leaves_some t2).
  destruct (one_leaf t1) as [l1 ->]; [lia |]. destruct (one_leaf t2) as [l2 ->]; [lia |].
  apply Permutation_sym, Permutation_length_2_inv in P. simpl in P.
  assert (N : forall v y, evaluates A (Leaf (Number v)) y -> y = v) by (intros v y F; now inversion F).
  destruct P as [P | P]; injection P as -> ->; inversion E as [| | ? ? y z ? Ey Ez F | | ]; subst; auto.
  - apply N in Ey. apply evaluates_product_exact in Ez; trivial. now subst.
  - match goal with F : evaluates A (Leaf (Number _)) _ |- _ => apply N in F; now subst end.
  - apply N in Ez. apply evaluates_product_exact in Ey; trivial. subst. now rewrite Rplus_comm.
  - match goal with F : evaluates A (Leaf (Number _)) _ |- _ => apply N in F; subst end.
    now rewrite Rplus_comm.
Qed.

(** R1 for such a neuron, with an accumulator: values bound it on both sides. *)
Lemma neuron_one_term_down_to : forall A B b w x f r, within A B ->
  value A (w * x) -> value A f -> f <= b + w * x -> neuron A B b [(w, x)] r -> f <= r.
Proof.
  intros A B b w x f r AB V F H (s & S & T). apply sums_one_term in S; [| now apply AB].
  apply (rounds_down_to A f s); trivial. apply (rounds_down_to B f (b + w * x)); auto.
Qed.

Lemma neuron_one_term_up_to : forall A B b w x f r, within A B ->
  value A (w * x) -> value A f -> b + w * x <= f -> neuron A B b [(w, x)] r -> r <= f.
Proof.
  intros A B b w x f r AB V F H (s & S & T). apply sums_one_term in S; [| now apply AB].
  apply (rounds_up_to A f s); trivial. apply (rounds_up_to B f (b + w * x)); auto.
Qed.

(** ** R3, the gap *)

(** The distance of neighbours is a value. *)
Lemma adjacent_gap : forall A below above, adjacent A below above -> value A (above - below).
Proof. intros A below above (V & W & H & N). now apply value_gap. Qed.

(** A value before [a] is at most its neighbour. *)
Lemma before : forall A pa a x, value A x -> adjacent A pa a -> x < a -> x <= pa.
Proof. intros A pa a x V (_ & _ & _ & N) H. destruct (N x V); lra. Qed.

(** R3: a difference from a value [a] to one before it is never rounded below the gap before [a]. *)
Theorem gap : forall A pa a x r,
  value A x -> adjacent A pa a -> x < a -> rounds A (a - x) r -> a - pa <= r.
Proof.
  intros A pa a x r V N H T. apply (rounds_down_to A (a - pa) (a - x)); trivial.
  - now apply adjacent_gap.
  - pose proof (before A pa a x V N H). lra.
Qed.

(** The same for the neuron that subtracts [x] from [a], contracted or not. *)
Theorem gap_neuron : forall A B pa a x r, within A B ->
  value A x -> adjacent A pa a -> x < a -> neuron A B a [(-1, x)] r -> a - pa <= r.
Proof.
  intros A B pa a x r AB V N H T. pose proof (before A pa a x V N H).
  apply (neuron_one_term_down_to A B a (-1) x); trivial.
  - replace (-1 * x) with (- x) by ring. now apply value_opp.
  - now apply adjacent_gap.
  - lra.
Qed.

(** ** Units *)

(** What a unit does is said in the mirrored coordinate: its one product is [- K x']. *)
Lemma mirrored_product : forall (up : bool) K v, (if up then K else - K) * v = - (K * mirrored up v).
Proof. intros [] K v; simpl; ring. Qed.

Lemma value_mirrored : forall A up v, value A v -> value A (mirrored up v).
Proof. intros A [] v V; simpl; trivial. now apply value_opp. Qed.

Lemma value_product : forall A (up : bool) k v,
  (0 <= k)%Z -> value A v -> value A ((if up then pow2 k else - pow2 k) * v).
Proof.
  intros A up k v K V. rewrite mirrored_product. now apply value_opp, value_scale, value_mirrored.
Qed.

(** Every value but zero has a next one, and so has zero where there is gradual underflow. *)
Definition followed (A : arithmetic) (v : R) : Prop := v = 0 \/ exists above, adjacent A v above.

(** A Step unit fires up to its threshold and is silent beyond, exactly. *)
Lemma step_unit_fires : forall A B c j up threshold x r, within A B ->
  step_unit A c j up threshold -> followed A threshold -> value A (x j) ->
  neuron A B (bias c) (terms x c) r ->
  (mirrored up (x j) <= threshold -> activate Step r = 1) /\
  (threshold < mirrored up (x j) -> activate Step r = 0).
Proof.
  intros A B c j up threshold x r AB (T & Hb & Hw) F V N.
  unfold terms in N. rewrite Hb, Hw in N. simpl in N.
  assert (W : value A ((if up then 1 else - (1)) * x j)) 
    by exact (value_product A up 0 (x j) (Z.le_refl 0) V).
  pose proof (mirrored_product up 1 (x j)) as P.
  change (-1) with (- (1)) in N. split; intros H; simpl; destruct (Rle_dec 0 r) as [Z | Z]; trivial; exfalso.
  - apply Z, neuron_one_term_down_to with (5 := N); trivial; [apply value_0 | lra].
  - destruct F as [-> | (above & G)].
    + assert (r <= - mirrored up (x j)); [| lra].
      apply neuron_one_term_up_to with (5 := N); trivial; [| lra].
      now apply value_opp, value_mirrored.
    + pose proof G as (_ & _ & L & K). destruct (K _ (value_mirrored A up _ V)); [lra |].
      assert (r <= - (above - threshold)); [| lra].
      apply neuron_one_term_up_to with (5 := N); trivial; [| lra].
      now apply value_opp, adjacent_gap.
Qed.

(** A ReLU unit needs of its neighbours that their distance is a value. *)
Section ReluUnit.

Variables A B : arithmetic.
Hypothesis AB : within A B.
Variables (c : cell) (j : nat) (up : bool) (k : Z) (pa a : R) (x : nat -> R) (r : R).
Hypothesis scale_positive : (0 <= k)%Z.
Hypothesis unit_bias : bias c = pow2 k * a.
Hypothesis unit_weights : weights c = [(j, if up then pow2 k else - pow2 k)].
Hypothesis input_value : value A (x j).
Hypothesis gives_r : neuron A B (bias c) (terms x c) r.

Lemma relu_silent_from : a <= mirrored up (x j) -> activate Relu r = 0.
Proof.
  intros H. unfold terms in gives_r. rewrite unit_bias, unit_weights in gives_r. simpl in *.
  apply Rmax_right. apply neuron_one_term_up_to with (5 := gives_r); trivial.
  - now apply value_product.
  - apply value_0.
  - rewrite mirrored_product. pose proof (Rmult_le_compat_l _ _ _ (bpow_ge_0 radix2 k) H). lra.
Qed.

Lemma relu_fires_up_to :
  value A (a - pa) -> mirrored up (x j) <= pa -> pow2 k * (a - pa) <= activate Relu r.
Proof.
  intros G H. unfold terms in gives_r. rewrite unit_bias, unit_weights in gives_r. simpl in *.
  apply Rle_trans with r; [| apply Rmax_l]. apply neuron_one_term_down_to with (5 := gives_r); trivial.
  - now apply value_product.
  - now apply value_scale.
  - rewrite mirrored_product. pose proof (Rmult_le_compat_l _ _ _ (bpow_ge_0 radix2 k) H). lra.
Qed.

End ReluUnit.

(** A ReLU unit is exactly 0 from [a] on, *)
Lemma relu_unit_silent : forall A B c j up k pa a x r, within A B ->
  relu_unit A c j up k pa a -> value A (x j) -> neuron A B (bias c) (terms x c) r ->
  a <= mirrored up (x j) -> activate Relu r = 0.
Proof. intros A B c j up k pa a x r AB (K & N & Hb & Hw). now apply (relu_silent_from A B AB c j up k a). Qed.

(** and gives at least [K] times the gap up to the value before [a]. *)
Lemma relu_unit_fires : forall A B c j up k pa a x r, within A B ->
  relu_unit A c j up k pa a -> value A (x j) -> neuron A B (bias c) (terms x c) r ->
  mirrored up (x j) <= pa -> pow2 k * (a - pa) <= activate Relu r.
Proof.
  intros A B c j up k pa a x r AB (K & N & Hb & Hw) V G.
  apply (relu_fires_up_to A B AB c j up k pa a x r); trivial. now apply adjacent_gap.
Qed.

(** *** What is recognised, and what it tells *)

(** The inputs in question: the rows of a data set, or every input. *)
Definition inputs := (nat -> R) -> Prop.

Definition every_input (A : arithmetic) : inputs := fun x => forall j, value A (x j).

(** A unit of the first layer, and the side that it is, with [K = 2^k].
    - [UnitTerms], [UnitWeight]: one term, whose weight is [K] or [- K], a power of two from 1 on (Step: 1);
    - [UnitThreshold]: the bias is [K] times a value;
    - [UnitAtEnd]: that value has one before it;
    - [UnitAtZero]: where zero has no neighbour, the greatest of the inputs in question that are negative is
      taken for it. If none is, the unit never fires, and any negative value will do, of any magnitude. *)
Inductive recognised_unit (A : arithmetic) (D : inputs) : activation -> cell -> side -> Z -> Prop :=
| Recognised_step c s :
    step_unit A c (column s) (upper s) (fires s) -> followed A (fires s) ->
    recognised_unit A D Step c s 0
| Recognised_relu c s k :
    relu_unit A c (column s) (upper s) k (fires s) (silent s) ->
    recognised_unit A D Relu c s k
| Recognised_relu_at_zero c s k :
    (0 <= k)%Z -> bias c = 0 -> weights c = [(column s, if upper s then pow2 k else - pow2 k)] ->
    silent s = 0 -> value A (fires s) -> fires s < 0 ->
    (forall x, D x -> let v := mirrored (upper s) (x (column s)) in v <= fires s \/ 0 <= v) ->
    recognised_unit A D Relu c s k.

(** Whether a side fires at an input. *)
Definition fires_at (s : side) (x : nat -> R) : bool :=
  if Rle_dec (mirrored (upper s) (x (column s))) (fires s) then true else false.

(** What a unit gives at least when it fires. *)
Definition strength (act : activation) (s : side) (k : Z) : R :=
  match act with Relu => pow2 k * (silent s - fires s) | _ => 1 end.

(** What a unit that gives [u] tells: if it fires, that, with Step exactly; otherwise 0 exactly. *)
Definition tells (act : activation) (s : side) (k : Z) (x : nat -> R) (u : R) : Prop :=
  if fires_at s x then strength act s k <= u /\ (act = Step -> u = 1) else u = 0.

(** On every path, a recognised unit tells whether its side fires. *)
Theorem unit_tells : forall A B D act c s k x r, within A B ->
  recognised_unit A D act c s k -> D x -> value A (x (column s)) ->
  neuron A B (bias c) (terms x c) r -> tells act s k x (activate act r).
Proof.
  intros A B D act c s k x r AB U Dx V N. unfold tells, fires_at.
  destruct U as [c s U F | c s k U | c s k K Hb Hw Z W L H].
  - destruct (step_unit_fires A B c (column s) (upper s) (fires s) x r) as [S T]; trivial.
    destruct (Rle_dec _ _) as [P | P].
    + rewrite S; trivial. simpl; split; lra.
    + apply T; lra.
  - destruct (Rle_dec _ _) as [P | P].
    + split; [| discriminate].
      now apply (relu_unit_fires A B c (column s) (upper s) k (fires s) (silent s) x r).
    + apply (relu_unit_silent A B c (column s) (upper s) k (fires s) (silent s) x r); trivial.
      destruct U as (_ & (_ & _ & _ & G) & _). destruct (G _ (value_mirrored A (upper s) _ V)); lra.
  - assert (Hb' : bias c = pow2 k * silent s) by (rewrite Z, Rmult_0_r; trivial).
    destruct (Rle_dec _ _) as [P | P].
    + split; [| discriminate].
      apply (relu_fires_up_to A B AB c (column s) (upper s) k (fires s) (silent s) x r); trivial.
      rewrite Z, Rminus_0_l. now apply value_opp.
    + apply (relu_silent_from A B AB c (column s) (upper s) k (silent s) x); trivial.
      destruct (H x Dx); lra.
Qed.
