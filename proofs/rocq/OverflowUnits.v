(** * Bounded exponents, with infinities: units

    The side conditions are those of [Units], for the format without its largest value, and two that only a
    largest value asks for: [UnitAtEnd] and [UnitScale]. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Formats Network Units Overflow OverflowSums.

Import ListNotations.
Open Scope R_scope.

Section Units.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation value := (Overflow.value prec emax).
Notation zero := (@B754_zero prec emax false).
Notation one := (@Bone prec emax _ _).

(** The format without its largest value. *)
Definition unbounded : arithmetic :=
  FLT_arithmetic emin prec (prec_gt_0 prec) (emin_negative prec emax _ _).

Lemma value_unbounded : forall v, value v -> Arithmetic.value unbounded v.
Proof. intros v [F _]. exact F. Qed.

Lemma value_bounded : forall v, Arithmetic.value unbounded v -> Rabs v < pow2 emax -> value v.
Proof. intros v F B. now split. Qed.

(** ** Activations *)

(** 1 from zero on, -0 and plus infinity included; 0 for NaN. *)
Definition fstep (r : datum) : datum := if Bleb zero r then one else zero.

(** What is not above zero is +0, but NaN stays. *)
Definition frelu (r : datum) : datum := if is_nan r then r else if Bltb zero r then r else zero.

Definition factivate (act : activation) (r : datum) : datum :=
  match act with Step => fstep r | Relu => frelu r | Identity => r end.

Lemma exactly_zero : exactly 0 zero.
Proof. now split. Qed.

Lemma exactly_one : exactly 1 one.
Proof. split; [apply is_finite_Bone|apply Bone_correct]. Qed.

Lemma exactly_is_at_least : forall v (r : datum), exactly v r -> at_least v r.
Proof. intros v r [F <-]. right. split; [exact F|lra]. Qed.

Lemma exactly_is_at_most : forall v (r : datum), exactly v r -> at_most v r.
Proof. intros v r [F <-]. right. split; [exact F|lra]. Qed.

Lemma at_least_less : forall u v (r : datum), u <= v -> at_least v r -> at_least u r.
Proof. intros u v r H [-> | [F L]]; [now left|right]. split; [exact F|lra]. Qed.

Lemma step_from_zero_on : forall r, at_least 0 r -> exactly 1 (fstep r).
Proof.
  intros r [-> | [F L]]; unfold fstep.
  - exact exactly_one.
  - rewrite Bleb_correct, Rle_bool_true by easy. exact exactly_one.
Qed.

Lemma step_below_zero : forall v r, v < 0 -> at_most v r -> exactly 0 (fstep r).
Proof.
  intros v r N [-> | [F L]]; unfold fstep.
  - exact exactly_zero.
  - rewrite Bleb_correct, Rle_bool_false; try easy. simpl. lra.
Qed.

Lemma relu_up_to_zero : forall r, at_most 0 r -> exactly 0 (frelu r).
Proof.
  intros r B. unfold frelu. rewrite (at_most_is_not_nan _ _ _ _ B). destruct B as [-> | [F L]].
  - exact exactly_zero.
  - rewrite Bltb_correct, Rlt_bool_false; easy.
Qed.

Lemma relu_above_zero : forall v r, 0 < v -> at_least v r -> frelu r = r.
Proof.
  intros v r P B. unfold frelu. rewrite (at_least_is_not_nan _ _ _ _ B). destruct B as [-> | [F L]].
  - easy.
  - rewrite Bltb_correct, Rlt_bool_true; try easy. simpl. lra.
Qed.

(** ** Neurons over data *)

Record fcell := { fbias : datum; fweights : list (nat * datum) }.

Definition fterms (x : nat -> datum) (c : fcell) : list (datum * datum) :=
  map (fun '(j, w) => (w, x j)) (fweights c).

(** What a network stores is finite. *)
Definition finite_cell (c : fcell) : Prop :=
  is_finite (fbias c) = true /\ forall j w, In (j, w) (fweights c) -> is_finite w = true.

(** The same neuron over the reals. *)
Definition real_weight (t : nat * datum) : nat * R := (fst t, B2R (snd t)).
Definition real_cell (c : fcell) : cell :=
  {| bias := B2R (fbias c); weights := map real_weight (fweights c) |}.
Definition real_input (x : nat -> datum) (j : nat) : R := B2R (x j).

Lemma real_weight_in : forall c j w, In (j, w) (fweights c) -> In (j, B2R w) (weights (real_cell c)).
Proof. intros c j w I. exact (in_map real_weight _ _ I). Qed.

Lemma one_real_weight : forall c j w, weights (real_cell c) = [(j, w)] ->
  exists w', fweights c = [(j, w')] /\ B2R w' = w.
Proof.
  intros c j w E. simpl in E. destruct (fweights c) as [|[i w'] [|]]; try discriminate.
  injection E as <- <-. now exists w'.
Qed.

(** ** Units *)

(** What a largest value asks of a ReLU unit.
    - [UnitAtEnd]: the value before the threshold is one of the format;
    - [UnitScale]: so is [K] times it. *)
Definition unit_in_range (act : activation) (s : side) (k : Z) : Prop :=
  act = Relu -> value (fires s) /\ value (pow2 k * fires s).

(** What a unit tells; with ReLU it may be plus infinity where it fires. *)
Definition ftells (act : activation) (s : side) (k : Z) (x : nat -> datum) (u : datum) : Prop :=
  if fires_at s (real_input x)
  then at_least (strength act s k) u /\ 0 < strength act s k /\ (act = Step -> exactly 1 u)
  else exactly 0 u.

Lemma value_of_mirrored : forall up (x : datum), value (mirrored up (B2R x)).
Proof. intros [] x; simpl; [apply value_opp|]; apply value_of_datum. Qed.

(** A Step unit tells, and its sum is not NaN. *)
Lemma step_unit_tells : forall c s x r, finite_cell c ->
  step_unit unbounded (real_cell c) (column s) (upper s) (fires s) -> is_finite (x (column s)) = true ->
  fsums (fbias c) (fterms x c) r -> is_nan r = false /\ ftells Step s 0 x (fstep r).
Proof.
  intros c s x r [Fb Fw] (_ & Hb & Hw) Fx S.
  destruct (one_real_weight c _ _ Hw) as (w & E & Ew). unfold fterms in S. rewrite E in S. simpl in S.
  assert (Fw' : is_finite w = true) by (apply (Fw (column s)); rewrite E; now left).
  assert (P : B2R w * B2R (x (column s)) = - mirrored (upper s) (B2R (x (column s)))).
  { rewrite Ew. destruct (upper s); simpl; ring. }
  simpl in Hb. assert (Vb : value (fires s)) by (rewrite <- Hb; apply value_of_datum).
  assert (Vx := value_of_mirrored (upper s) (x (column s))).
  unfold ftells, fires_at, real_input. destruct (Rle_dec _ _) as [L|L].
  - assert (B : at_least 0 r).
    { apply (pair_at_least prec emax _ _ (fbias c) w (x (column s)) (fires s)
        (- mirrored (upper s) (B2R (x (column s))))); auto; try apply value_opp; try apply value_0; auto; try lra.
      - right. split; [exact Fb|lra].
      - split; [|split]; auto. lra. }
    split; [exact (at_least_is_not_nan _ _ _ _ B)|].
    apply step_from_zero_on in B. simpl. repeat split; try apply B; try lra. now apply exactly_is_at_least.
  - assert (B : at_most (- pow2 emin) r).
    { apply (pair_at_most prec emax _ _ (fbias c) w (x (column s)) (fires s)
        (- mirrored (upper s) (B2R (x (column s))))); auto; try apply value_opp; try apply value_least; auto.
      - apply (difference_of_values prec emax); auto. lra.
      - right. split; [exact Fb|lra].
      - split; [exact Fw'|left]. split; auto. lra. }
    split; [exact (at_most_is_not_nan _ _ _ _ B)|].
    apply step_below_zero with (2 := B). generalize (bpow_gt_0 radix2 emin). lra.
Qed.

(** The gap before a threshold, times [K], is a value: it is at most as large as the larger one of its neighbours. *)
Lemma value_scaled_gap : forall k pa a, (0 <= k)%Z -> adjacent unbounded pa a ->
  value (pow2 k * pa) -> value (pow2 k * a) -> value (pow2 k * (a - pa)).
Proof.
  intros k pa a Hk A [_ Bpa] [_ Ba]. apply value_bounded.
  - apply value_scale; [exact Hk|]. now apply adjacent_gap.
  - assert (P := bpow_gt_0 radix2 k). destruct A as (_ & _ & L & N).
    rewrite Rabs_mult, (Rabs_pos_eq (pow2 k)) in * by lra. rewrite (Rabs_pos_eq (a - pa)) by lra.
    destruct (N 0 (Arithmetic.value_0 unbounded)) as [Z|Z].
    + eapply Rle_lt_trans; [apply Rmult_le_compat_l; [lra|]|exact Ba]. rewrite Rabs_pos_eq; lra.
    + eapply Rle_lt_trans; [apply Rmult_le_compat_l; [lra|]|exact Bpa]. rewrite Rabs_left1; lra.
Qed.

(** A ReLU unit tells, although [K x] may overflow, and its sum is not NaN: if the input is not between the threshold and
    what counts as the value before it. *)
Lemma relu_unit_tells : forall c s k x r, finite_cell c -> (0 <= k)%Z ->
  bias (real_cell c) = pow2 k * silent s ->
  weights (real_cell c) = [(column s, if upper s then pow2 k else - pow2 k)] ->
  fires s < silent s -> value (pow2 k * fires s) -> value (pow2 k * (silent s - fires s)) ->
  is_finite (x (column s)) = true ->
  mirrored (upper s) (real_input x (column s)) <= fires s \/ silent s <= mirrored (upper s) (real_input x (column s)) ->
  fsums (fbias c) (fterms x c) r -> is_nan r = false /\ ftells Relu s k x (frelu r).
Proof.
  intros c s k x r [Fb Fw] Hk Hb Hw L Vp Vg Fx N S.
  destruct (one_real_weight c _ _ Hw) as (w & E & Ew). unfold fterms in S. rewrite E in S. simpl in S.
  assert (Fw' : is_finite w = true) by (apply (Fw (column s)); rewrite E; now left).
  assert (P : B2R w * B2R (x (column s)) = - (pow2 k * mirrored (upper s) (B2R (x (column s))))).
  { rewrite Ew. apply mirrored_product. }
  simpl in Hb. assert (Vb : value (pow2 k * silent s)) by (rewrite <- Hb; apply value_of_datum).
  assert (K := bpow_gt_0 radix2 k).
  unfold ftells, fires_at, real_input in *. destruct (Rle_dec _ _) as [F|F].
  - assert (B : at_least (strength Relu s k) r).
    { apply (pair_at_least prec emax _ _ (fbias c) w (x (column s)) (pow2 k * silent s)
        (- (pow2 k * fires s))); auto; try (now apply value_opp).
      - simpl. lra.
      - right. split; [exact Fb|lra].
      - split; [|split]; auto. rewrite P. nra. }
    assert (Q : 0 < strength Relu s k) by (simpl; nra).
    split; [exact (at_least_is_not_nan _ _ _ _ B)|].
    rewrite (relu_above_zero _ _ Q B). now repeat split.
  - assert (B : at_most 0 r).
    { apply (pair_at_most prec emax _ _ (fbias c) w (x (column s)) (pow2 k * silent s)
        (- (pow2 k * silent s))); auto; try (now apply value_opp); try apply value_0; try lra.
      - right. split; [exact Fb|lra].
      - split; [exact Fw'|left]. split; auto. rewrite P. destruct N as [N|N]; [lra|nra]. }
    split; [exact (at_most_is_not_nan _ _ _ _ B)|]. now apply relu_up_to_zero.
Qed.

(** On every path, a recognised unit tells whether its side fires. *)
Theorem unit_tells_with_overflow : forall (D : inputs) act c s k x r, finite_cell c ->
  recognised_unit unbounded D act (real_cell c) s k -> unit_in_range act s k ->
  D (real_input x) -> is_finite (x (column s)) = true ->
  fsums (fbias c) (fterms x c) r -> is_nan r = false /\ ftells act s k x (factivate act r).
Proof.
  intros D act c s k x r F U V Dx Fx S. remember (real_cell c) as c' eqn:Ec.
  destruct U as [c' s U _ | c' s k (Hk & A & Hb & Hw) | c' s k Hk Hb Hw Z W L N]; subst c'.
  - now apply (step_unit_tells c s x r).
  - destruct (V eq_refl) as [Vf Vk]. pose proof A as (_ & _ & L & N).
    apply (relu_unit_tells c s k x r); auto.
    + apply value_scaled_gap; auto. rewrite <- Hb. apply value_of_datum.
    + apply N, value_unbounded, value_of_mirrored.
  - destruct (V eq_refl) as [Vf Vk]. apply (relu_unit_tells c s k x r); auto; rewrite Z; auto.
    + now rewrite Rmult_0_r.
    + replace (pow2 k * (0 - fires s)) with (- (pow2 k * fires s)) by ring. now apply value_opp.
Qed.

End Units.

Arguments fbias {prec emax} f.
Arguments fweights {prec emax} f.
Arguments fterms {prec emax} x c.
Arguments finite_cell {prec emax} c.
Arguments real_weight {prec emax} t.
Arguments real_cell {prec emax} c.
Arguments real_input {prec emax} x j.
Arguments fstep {prec emax} {prec_positive prec_below_emax} r.
Arguments frelu {prec emax} r.
Arguments factivate {prec emax} {prec_positive prec_below_emax} act r.
Arguments ftells {prec emax} act s k x u.
