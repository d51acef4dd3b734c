(** * Boxes

    A neuron of the second layer is 1 where the right units fire and the others are silent, and 0 elsewhere:
    exactly, on every path, under the side conditions that the kernel checks, named here as its errors are. *)

From Coq Require Import ZArith List Permutation Reals Lra Lia Bool.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees Sums Network Units.

Import ListNotations.
Open Scope R_scope.

(** ** R6 in an accumulator

    The bounds of R6 are values of the format, and so of its accumulator, however precise that is. *)

Lemma evaluates_bounded_within : forall A B j t r, within A B ->
  (0 <= j <= precision A)%Z -> value A (pow2 (- j)) ->
  at_most_one (exacts t) -> evaluates B t r -> r <= bound j (exacts t).
Proof.
  intros A B j t r AB J V One E. revert One.
  assert (W : forall vs, at_most_one vs -> value B (bound j vs)) by (intros; now apply AB, bound_value).
  assert (L : forall v, at_most_one [v] -> v <= bound j [v]).
  { intros v [H _]. apply bound_leaf; [lia |]. now inversion H. }
  apply (evaluates_leaves B (fun vs r => at_most_one vs -> r <= bound j vs)); trivial.
  - intros v s S One. apply (rounds_up_to B (bound j [v]) v); auto.
  - intros us vs x y s Hx Hy S One. apply (rounds_up_to B (bound j (us ++ vs)) (x + y)); auto.
    apply at_most_one_app in One as [Hu Hv]. specialize (Hx Hu). specialize (Hy Hv).
    pose proof (bound_app j us vs). lra.
Qed.

(** [2^j] penalties of [2^-j] take 1 to 0. *)
Lemma neuron_dominated_within : forall A B ts r j, within A B ->
  (0 <= j <= precision A)%Z -> value A (pow2 (- j)) -> (forall w x, In (w, x) ts -> w * x <= 0) ->
  (2 ^ j <= count (is_penalty j) (products ts))%Z ->
  neuron A B 1 ts r -> r <= 0.
Proof.
  intros A B ts r j AB J V N C. apply neuron_at_most; [apply value_0 |]. intros s (t & P & E).
  apply exacts_permutation in P. apply (forall_products (fun v => v <= 0)) in N.
  assert (One : is_positive 1 = true) by (unfold is_positive; destruct (Rlt_dec 0 1); [easy | lra]).
  assert (K : count is_positive (1 :: products ts) = 1%Z) by now rewrite count_cons, (none_positive _ N), One.
  apply (evaluates_bounded_within A B j) in E; trivial.
  - rewrite (bound_permutation j _ _ P) in E. apply Rle_trans with (1 := E).
    unfold bound. rewrite K, count_cons.
    apply Rle_trans with (0 * pow2 (- j)); [| lra].
    apply Rmult_le_compat_r; [apply bpow_ge_0 |]. apply IZR_le. destruct (is_penalty j 1); lia.
  - apply (at_most_one_permutation (1 :: products ts)); [now symmetry |].
    split; [| lia]. constructor; [now right |]. revert N. apply Forall_impl. now left.
Qed.

(** ** Boxes *)

(** The units as sides, and the exponents of their [K]. *)
Definition sides := nat -> side.
Definition scales := nat -> Z.

(** What a box asks of a unit: one of positive weight has to fire, one of negative weight has to be silent. *)
Definition met (units : sides) (x : nat -> R) (t : nat * R) : bool :=
  if Rlt_dec 0 (snd t) then fires_at (units (fst t)) x else negb (fires_at (units (fst t)) x).

(** An input is inside a box where all that it asks is met. *)
Definition inside (units : sides) (c : cell) (x : nat -> R) : bool := forallb (met units x) (weights c).

(** How many units have to fire. *)
Definition required (c : cell) : nat :=
  length (filter (fun t => if Rlt_dec 0 (snd t) then true else false) (weights c)).

(** A Step neuron counts.
    - [BoxWeight]: its weights are 1 and -1;
    - [BoxBias]: its bias takes off how many units have to fire;
    - [BoxCount]: if there are such, the sum has to be exact, and there are at most [2^p] terms. *)
Record step_box (A : arithmetic) (c : cell) : Prop := {
  step_box_weight : forall u w, In (u, w) (weights c) -> w = 1 \/ w = -1;
  step_box_bias : bias c = - INR (required c);
  step_box_count : (0 < required c)%nat -> (Z.of_nat (length (weights c)) <= 2 ^ precision A)%Z
}.

(** Sides that fire at the same inputs. *)
Definition same_place (a b : side) : bool :=
  (column a =? column b)%nat && eqb (upper a) (upper b) && Req_bool (fires a) (fires b).

(** Those terms of a box whose unit stands where [s] does, and takes off at least [2^-j] when it fires. *)
Definition copies (units : sides) (scale : scales) (c : cell) (s : side) (j : Z) : list (nat * R) :=
  filter
    (fun '(u, w) => same_place (units u) s && Rle_bool (pow2 (- j)) (- w * strength Relu (units u) (scale u)))
    (weights c).

(** A ReLU neuron is 1 less its penalties.
    - [BoxBias]: its bias is 1;
    - [BoxWeight]: its weights are [- W] for powers of two;
    - [Penalty]: with each unit there are [2^j] at its place that take off at least [2^-j] each, for some [j]
      up to the precision with [2^-j] a value. If [j = 0] that is one unit with [W K (a - pa) >= 1], as a rule
      the unit itself. *)
Record relu_box (A : arithmetic) (units : sides) (scale : scales) (c : cell) : Prop := {
  relu_box_bias : bias c = 1;
  relu_box_weight : forall u w, In (u, w) (weights c) -> exists e, w = - pow2 e;
  relu_box_penalty : forall u w, In (u, w) (weights c) ->
    exists j, (0 <= j <= precision A)%Z /\ value A (pow2 (- j)) /\
      (2 ^ j <= Z.of_nat (length (copies units scale c (units u) j)))%Z
}.

(** The usual case: each unit has a penalty of at least 1 by itself. *)
Lemma relu_box_strong : forall A units scale c, bias c = 1 ->
  (forall u w, In (u, w) (weights c) -> exists e, w = - pow2 e /\
    1 <= pow2 e * (pow2 (scale u) * (silent (units u) - fires (units u)))) ->
  relu_box A units scale c.
Proof.
  intros A units scale c Hb Hw. split; trivial.
  - intros u w I. destruct (Hw u w I) as (e & E & _). now exists e.
  - intros u w I. destruct (Hw u w I) as (e & E & P). exists 0%Z.
    pose proof (precision_positive A). repeat split; [lia | lia | apply value_1 |].
    assert (C : In (u, w) (copies units scale c (units u) 0)).
    { apply filter_In. split; trivial. unfold same_place.
      rewrite Nat.eqb_refl, eqb_reflx, Req_bool_true by reflexivity.
      apply Rle_bool_true. simpl. rewrite E. lra. }
    destruct (copies _ _ _ _ _); [destruct C | simpl length; lia].
Qed.

Lemma fires_same_place : forall a b x, same_place a b = true -> fires_at a x = fires_at b x.
Proof.
  intros a b x H. unfold same_place in H. rewrite !andb_true_iff in H. destruct H as [[C U] F].
  apply Nat.eqb_eq in C. apply eqb_prop in U.
  destruct (Req_bool_spec (fires a) (fires b)) as [E | E]; [| easy].
  unfold fires_at. now rewrite C, U, E.
Qed.

Lemma inside_met : forall units c x u w,
  inside units c x = true -> In (u, w) (weights c) -> met units x (u, w) = true.
Proof. intros units c x u w H I. unfold inside in H. rewrite forallb_forall in H. now apply H. Qed.

Lemma outside_unmet : forall units c x,
  inside units c x = false -> exists u w, In (u, w) (weights c) /\ met units x (u, w) = false.
Proof.
  intros units c x. unfold inside. induction (weights c) as [| [u w] l IH]; simpl; [discriminate |].
  destruct (met units x (u, w)) eqn:M; simpl; intros H.
  - destruct (IH H) as (v & z & I & N). exists v, z. auto.
  - exists u, w. auto.
Qed.

Lemma in_terms : forall (u : nat -> R) c w v, In (w, v) (terms u c) ->
  exists i, In (i, w) (weights c) /\ v = u i.
Proof.
  intros u c w v I. apply in_map_iff in I. destruct I as ([i w'] & E & I). injection E as <- <-. now exists i.
Qed.

Lemma terms_in : forall (u : nat -> R) c i w, In (i, w) (weights c) -> In (w, u i) (terms u c).
Proof. intros u c i w I. now apply (in_map (fun '(j, w) => (w, u j)) _ (i, w)). Qed.

(** *** ReLU *)

Section ReluBox.

Variables A B : arithmetic.
Hypothesis AB : within A B.
Variables (units : sides) (scale : scales) (c : cell) (x u : nat -> R).
Hypothesis box : relu_box A units scale c.
Hypothesis units_tell : forall i w, In (i, w) (weights c) -> tells Relu (units i) (scale i) x (u i).
Hypothesis units_nonnegative : forall i w, In (i, w) (weights c) -> 0 <= u i.

Lemma relu_met : forall i w, In (i, w) (weights c) -> met units x (i, w) = negb (fires_at (units i) x).
Proof.
  intros i w I. unfold met. simpl. destruct (relu_box_weight _ _ _ _ box i w I) as (e & ->).
  pose proof (bpow_gt_0 radix2 e). destruct (Rlt_dec 0 (- pow2 e)); [lra | easy].
Qed.

Lemma relu_box_inside : forall r,
  inside units c x = true -> neuron A B (bias c) (terms u c) r -> activate Relu r = 1.
Proof.
  intros r H N. rewrite (relu_box_bias _ _ _ _ box) in N. apply neuron_one in N; trivial.
  - subst. apply Rmax_left. lra.
  - intros w v I. apply in_terms in I. destruct I as (i & I & ->).
    pose proof (inside_met _ _ _ _ _ H I) as M. rewrite relu_met in M by trivial.
    pose proof (units_tell i w I) as T. unfold tells in T. destruct (fires_at (units i) x); [discriminate |].
    rewrite T. ring.
Qed.

(** Where a unit fires, so do its copies. *)
Lemma copies_fire : forall i j, fires_at (units i) x = true ->
  (Z.of_nat (length (copies units scale c (units i) j)) <= count (is_penalty j) (products (terms u c)))%Z.
Proof.
  intros i j F. unfold copies, count, products, terms. revert units_tell.
  generalize (relu_box_weight _ _ _ _ box). clear box units_nonnegative.
  induction (weights c) as [| [k w] l IH]; intros P T; [simpl; lia |].
  assert (P' : forall k w, In (k, w) l -> exists e, w = - pow2 e)
    by (intros k' w' I; apply (P k'); now right).
  assert (T' : forall k w, In (k, w) l -> tells Relu (units k) (scale k) x (u k))
    by (intros k' w' I; apply (T k' w'); now right).
  specialize (IH P' T'). cbn [map filter].
  destruct (same_place (units k) (units i) && _) eqn:C.
  - rewrite andb_true_iff in C. destruct C as [S Q]. apply fires_same_place with (x := x) in S.
    pose proof (T k w (or_introl eq_refl)) as Tk. unfold tells in Tk. rewrite S, F in Tk.
    destruct Tk as [Tk _].
    destruct (P k w (or_introl eq_refl)) as (e & E).
    assert (W : is_penalty j (fst (w, u k) * snd (w, u k)) = true).
    { unfold is_penalty. cbn [fst snd]. destruct (Rle_dec _ _) as [L | L]; trivial. exfalso. apply L.
      revert Q. case Rle_bool_spec; [| discriminate]. intros Q _. rewrite E in Q |- *.
      pose proof (Rmult_le_compat_l _ _ _ (bpow_ge_0 radix2 e) Tk). lra. }
    rewrite W. cbn [length]. lia.
  - destruct (is_penalty j _); cbn [length]; lia.
Qed.

Lemma relu_box_outside : forall r,
  inside units c x = false -> neuron A B (bias c) (terms u c) r -> activate Relu r = 0.
Proof.
  intros r H N. rewrite (relu_box_bias _ _ _ _ box) in N.
  apply outside_unmet in H. destruct H as (i & w & I & M). rewrite relu_met in M by trivial.
  apply negb_false_iff in M. destruct (relu_box_penalty _ _ _ _ box i w I) as (j & J & V & C).
  apply Rmax_right. apply (neuron_dominated_within A B _ r j) in N; trivial.
  - intros w' v I'. apply in_terms in I'. destruct I' as (i' & I' & ->).
    destruct (relu_box_weight _ _ _ _ box i' w' I') as (e & ->).
    pose proof (Rmult_le_pos _ _ (bpow_ge_0 radix2 e) (units_nonnegative i' _ I')). lra.
  - apply Z.le_trans with (1 := C). now apply copies_fire.
Qed.

End ReluBox.

(** *** Step *)

(** Which terms count up. *)
Definition asks (t : nat * R) : R := if Rlt_dec 0 (snd t) then 1 else 0.

Lemma required_total : forall c, INR (required c) = total (map asks (weights c)).
Proof.
  intros c. unfold required, asks. induction (weights c) as [| [u w] l IH]; [easy |].
  cbn [map filter total fold_right snd] in *. fold (total (map asks l)). unfold asks in *.
  destruct (Rlt_dec 0 w); [cbn [length]; rewrite S_INR |]; rewrite IH; unfold total; lra.
Qed.

Lemma total_map_le : forall (T : Type) (f g : T -> R) l,
  (forall t, In t l -> f t <= g t) -> total (map f l) <= total (map g l).
Proof.
  intros T f g l. induction l as [| t l IH]; intros H; simpl; [lra |].
  pose proof (H t (or_introl eq_refl)). specialize (IH (fun v I => H v (or_intror I))). lra.
Qed.

Lemma total_map_less : forall (T : Type) (f g : T -> R) l v d,
  (forall t, In t l -> f t <= g t) -> In v l -> f v + d <= g v -> total (map f l) + d <= total (map g l).
Proof.
  intros T f g l v d. induction l as [| t l IH]; intros H I E; [destruct I |].
  simpl. pose proof (H t (or_introl eq_refl)). pose proof (fun v I => H v (or_intror I)) as H'.
  destruct I as [-> | I].
  - pose proof (total_map_le T f g l H'). lra.
  - specialize (IH H' I E). lra.
Qed.

Lemma total_map_plus : forall (T : Type) (f g : T -> R) l,
  total (map f l) + total (map g l) = total (map (fun t => f t + g t) l).
Proof. intros T f g l. induction l as [| t l IH]; simpl; lra. Qed.

Lemma total_ones : forall (T : Type) (l : list T), total (map (fun _ => 1) l) = INR (length l).
Proof. intros T l. induction l as [| t l IH]; [easy |]. cbn [length]. rewrite S_INR. simpl. lra. Qed.

Section StepBox.

Variables A B : arithmetic.
Hypothesis AB : within A B.
Variables (units : sides) (c : cell) (x u : nat -> R).
Hypothesis box : step_box A c.
(** Units give 1 where they fire, and 0 elsewhere. *)
Hypothesis units_tell : forall i w, In (i, w) (weights c) -> u i = if fires_at (units i) x then 1 else 0.

(** What a term adds. *)
Definition adds (t : nat * R) : R := snd t * u (fst t).

Lemma products_terms : products (terms u c) = map adds (weights c).
Proof. unfold products, terms, adds. rewrite map_map. apply map_ext. now intros [i w]. Qed.

(** A term adds what is asked of it where it is met, and otherwise one less. *)
Lemma step_term : forall t, In t (weights c) -> adds t = asks t - (if met units x t then 0 else 1).
Proof.
  intros [i w] I. unfold adds, asks, met. cbn [fst snd]. rewrite (units_tell i w I).
  destruct (step_box_weight _ _ box i w I) as [-> | ->];
    (destruct (Rlt_dec 0 _); [| try lra]); try lra; destruct (fires_at _ _); simpl; lra.
Qed.

Lemma step_term_le : forall t, In t (weights c) -> adds t <= asks t.
Proof. intros t I. rewrite (step_term t I). destruct (met units x t); lra. Qed.

(** If some unit has to fire, the sum is exact: R5 on the grid of 1. *)
Lemma step_sum_exact : forall r, (0 < required c)%nat ->
  neuron A B (bias c) (terms u c) r -> r = total (map adds (weights c)) - INR (required c).
Proof.
  intros r Q N. pose proof (step_box_count _ _ box Q) as C.
  assert (S : INR (length (weights c)) <= pow2 (precision A) * pow2 0).
  { simpl (pow2 0). rewrite Rmult_1_r, INR_IZR_INZ, <- IZR_Zpower.
    - now apply IZR_le.
    - pose proof (precision_positive A). lia. }
  assert (E : map (fun t => fst t * snd t) (terms u c) = map adds (weights c)) by exact products_terms.
  rewrite (step_box_bias _ _ box) in N. apply (neuron_exact A B _ _ _ 0) in N; trivial.
  - rewrite N, E. ring.
  - apply value_1.
  - exists (- Z.of_nat (required c))%Z. simpl. rewrite opp_IZR, <- INR_IZR_INZ. ring.
  - intros w v I. apply in_terms in I. destruct I as (i & I & ->). rewrite (units_tell i w I).
    destruct (step_box_weight _ _ box i w I) as [-> | ->], (fires_at (units i) x);
      [exists 1%Z | exists 0%Z | exists (-1)%Z | exists 0%Z]; simpl; ring.
  - rewrite E. cbn [map total fold_right]. rewrite map_map.
    fold (total (map (fun t => positive_part (adds t)) (weights c))).
    unfold positive_part at 1. rewrite Rmax_right by (pose proof (pos_INR (required c)); lra).
    apply Rle_trans with (2 := S). rewrite <- total_ones, Rplus_0_l. apply total_map_le. intros t I.
    unfold positive_part. apply Rmax_lub; [| lra]. pose proof (step_term_le t I). unfold asks in *.
    destruct (Rlt_dec 0 (snd t)); lra.
  - rewrite E. cbn [map total fold_right]. rewrite map_map.
    fold (total (map (fun t => positive_part (- adds t)) (weights c))).
    unfold positive_part at 1. rewrite Ropp_involutive, Rmax_left by apply pos_INR.
    apply Rle_trans with (2 := S). rewrite <- total_ones, required_total, total_map_plus.
    apply total_map_le. intros t I. rewrite (step_term t I). unfold asks, positive_part.
    destruct (Rlt_dec 0 (snd t)), (met units x t) eqn:M; unfold Rmax; destruct (Rle_dec _ _); lra.
Qed.

Lemma asks_nothing : required c = 0%nat -> forall t, In t (weights c) -> asks t = 0.
Proof.
  intros Q t I. unfold asks. destruct (Rlt_dec 0 (snd t)) as [P | P]; trivial. exfalso.
  unfold required in Q. apply length_zero_iff_nil in Q. apply (in_nil (a := t)). rewrite <- Q.
  apply filter_In.  split; trivial. now destruct (Rlt_dec 0 (snd t)).
Qed.

Lemma bias_nothing : required c = 0%nat -> bias c = 0.
Proof. intros Q. rewrite (step_box_bias _ _ box), Q. simpl. ring. Qed.

Lemma step_box_inside : forall r,
  inside units c x = true -> neuron A B (bias c) (terms u c) r -> activate Step r = 1.
Proof.
  intros r H N. unfold inside in H. rewrite forallb_forall in H. simpl.
  enough (r = 0) as -> by (destruct (Rle_dec 0 0); lra).
  destruct (Nat.eq_dec (required c) 0) as [Q | Q].
  - rewrite (bias_nothing Q) in N. apply neuron_zero in N; trivial.
    intros w v I. apply in_terms in I. destruct I as (i & I & ->).
    pose proof (step_term _ I) as T. rewrite (H _ I), (asks_nothing Q _ I) in T.
    unfold adds in T. simpl in T. lra.
  - rewrite (step_sum_exact r) by (trivial; lia). rewrite required_total.
    rewrite (map_ext_in adds asks); [ring |]. intros t I. rewrite (step_term t I), (H t I). ring.
Qed.

Lemma step_box_outside : forall r,
  inside units c x = false -> neuron A B (bias c) (terms u c) r -> activate Step r = 0.
Proof.
  intros r H N. apply outside_unmet in H. destruct H as (i & w & I & M). simpl.
  enough (r <= -1) by (destruct (Rle_dec 0 r); lra).
  pose proof (step_term _ I) as T. rewrite M in T.
  destruct (Nat.eq_dec (required c) 0) as [Q | Q].
  - rewrite (bias_nothing Q) in N. apply neuron_at_most_minus_one in N; trivial; [lra | |].
    + intros w' v I'. apply in_terms in I'. destruct I' as (i' & I' & ->).
      pose proof (step_term_le _ I') as T'. rewrite (asks_nothing Q _ I') in T'.
      unfold adds in T'. now simpl in T'.
    + exists w, (u i). split; [now apply terms_in |].
      rewrite (asks_nothing Q _ I) in T.
    unfold adds in T. simpl in T. lra.
  - rewrite (step_sum_exact r) by (trivial; lia). rewrite required_total.
    pose proof (total_map_less _ adds asks (weights c) (i, w) 1 step_term_le I). lra.
Qed.

End StepBox.

(** ** The indicator theorem *)

(** A box of either kind. *)
Definition recognised_box (A : arithmetic) (act : activation) (units : sides) (scale : scales) (c : cell) :=
  match act with
  | Step => step_box A c
  | Relu => relu_box A units scale c
  | Identity => False
  end.

(** On every path, a recognised box over units that tell is exactly 1 inside and exactly 0 outside. *)
Theorem box_indicator : forall A B act units scale c x u r, within A B ->
  recognised_box A act units scale c ->
  (forall i w, In (i, w) (weights c) -> tells act (units i) (scale i) x (u i)) ->
  (forall i w, In (i, w) (weights c) -> 0 <= u i) ->
  neuron A B (bias c) (terms u c) r -> activate act r = if inside units c x then 1 else 0.
Proof.
  intros A B act units scale c x u r AB box T P N. destruct act; [| | destruct box].
  - assert (T' : forall i w, In (i, w) (weights c) -> u i = if fires_at (units i) x then 1 else 0).
    { intros i w I. specialize (T i w I). unfold tells in T.
      destruct (fires_at (units i) x); trivial. now apply T. }
    destruct (inside units c x) eqn:I.
    + now apply (step_box_inside A B AB units c x u).
    + now apply (step_box_outside A B AB units c x u).
  - destruct (inside units c x) eqn:I.
    + now apply (relu_box_inside A B AB units scale c x u).
    + now apply (relu_box_outside A B AB units scale c x u).
Qed.
