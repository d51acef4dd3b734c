(** * Bounded exponents, with infinities: boxes

    A neuron of the second layer is 1 inside its box and 0 elsewhere, on every path, although its units may give plus
    infinity. Its side conditions are those of [Boxes]; a largest value adds none. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Formats Sums Network Units Boxes.
From Roundproof Require Import Overflow OverflowSums OverflowGrid OverflowUnits.

Import ListNotations.
Open Scope R_scope.

Section Boxes.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation fcell := (OverflowUnits.fcell prec emax).
Notation unbounded := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).

(** ** What a box reads *)

Lemma in_fterms : forall (u : nat -> datum) c w v, In (w, v) (fterms u c) ->
  exists i, In (i, w) (fweights c) /\ v = u i.
Proof.
  intros u c w v I. apply in_map_iff in I. destruct I as ([i w'] & E & I). injection E as <- <-. now exists i.
Qed.

Lemma in_real_weights : forall (c : fcell) i w, In (i, w) (weights (real_cell c)) ->
  exists w', In (i, w') (fweights c) /\ B2R w' = w.
Proof.
  intros c i w I. apply in_map_iff in I. destruct I as ([i' w'] & E & I). injection E as <- <-. now exists w'.
Qed.

Lemma product_at_most_more : forall u v (w x : datum), u <= v -> product_at_most u w x -> product_at_most v w x.
Proof. intros u v w x H (F & [(Fx & L) | N]); split; auto. left. split; [exact Fx|lra]. Qed.

Lemma product_exactly_at_most : forall v (w x : datum), product_exactly v w x -> product_at_most v w x.
Proof. intros v w x (Fw & Fx & <-). split; [exact Fw|left]. split; [exact Fx|lra]. Qed.

Lemma zsum_count : forall (T S : Type) (h : T -> S) (p : S -> bool) l,
  zsum (fun t => if p (h t) then 1%Z else 0%Z) l = Z.of_nat (length (filter p (map h l))).
Proof.
  intros T S h p l. unfold zsum. induction l as [|t l IH]; [easy|]. simpl. rewrite IH.
  destruct (p (h t)); simpl length; lia.
Qed.

(** ** ReLU *)

Section ReluBox.

Variables (units : sides) (scale : scales) (c : fcell) (x u : nat -> datum).
Hypothesis finite : finite_cell c.
Hypothesis box : relu_box unbounded units scale (real_cell c).
Hypothesis units_tell : forall i w, In (i, w) (fweights c) -> ftells Relu (units i) (scale i) x (u i).

Lemma negative_weight : forall i w, In (i, w) (fweights c) -> B2R w < 0.
Proof.
  intros i w I. apply real_weight_in in I. apply (relu_box_weight _ _ _ _ box) in I. destruct I as (e & ->).
  generalize (bpow_gt_0 radix2 e). lra.
Qed.

Lemma frelu_met : forall i w, In (i, w) (fweights c) ->
  met units (real_input x) (i, B2R w) = negb (fires_at (units i) (real_input x)).
Proof.
  intros i w I. apply negative_weight in I. unfold met. simpl. destruct (Rlt_dec 0 (B2R w)); [lra|easy].
Qed.

(** The term of a unit that is silent, *)
Lemma silent_term : forall i w, In (i, w) (fweights c) -> fires_at (units i) (real_input x) = false ->
  product_exactly 0 w (u i).
Proof.
  intros i w I F. assert (Fw := proj2 finite i w I). specialize (units_tell i w I). unfold ftells in units_tell.
  rewrite F in units_tell. destruct units_tell as [Fu Zu]. repeat split; auto. rewrite Zu. ring.
Qed.

(** and of one that fires, be it with plus infinity. *)
Lemma firing_term : forall i w, In (i, w) (fweights c) -> fires_at (units i) (real_input x) = true ->
  product_at_most (B2R w * strength Relu (units i) (scale i)) w (u i) /\
  B2R w * strength Relu (units i) (scale i) <= 0.
Proof.
  intros i w I F. assert (N := negative_weight i w I). assert (Fw := proj2 finite i w I).
  specialize (units_tell i w I). unfold ftells in units_tell.
  rewrite F in units_tell. destruct units_tell as (L & P & _). split; [split; [exact Fw|]|nra].
  destruct L as [-> | [Fu L]]; [now right|left]. split; [exact Fu|nra].
Qed.

Lemma relu_box_one : forall r, inside units (real_cell c) (real_input x) = true ->
  fsums (fbias c) (fterms u c) r -> exactly 1 r.
Proof.
  intros r H S. apply (fsums_bias prec emax _ _ 1 (fbias c) (fterms u c)); auto; [lia| |].
  - split; [apply finite|]. exact (relu_box_bias _ _ _ _ box).
  - intros w v I. apply in_fterms in I. destruct I as (i & I & ->). apply silent_term; [exact I|].
    assert (M := inside_met _ _ _ _ _ H (real_weight_in _ _ _ _ _ I)). rewrite frelu_met in M by exact I.
    now apply negb_true_iff in M.
Qed.

Lemma relu_box_dominated : forall r, inside units (real_cell c) (real_input x) = false ->
  fsums (fbias c) (fterms u c) r -> at_most 0 r.
Proof.
  intros r H S. apply outside_unmet in H. destruct H as (i & w & I & M).
  destruct (relu_box_penalty _ _ _ _ box i w I) as (j & J & V & C).
  apply in_real_weights in I. destruct I as (w' & I & <-).
  rewrite frelu_met in M by exact I. apply negb_false_iff in M.
  unfold copies in C. simpl (weights _) in C. rewrite <- zsum_count in C.
  apply fsums_dominated with (j := j) (4 := C) (5 := S); [exact J| |].
  - apply FLT_power in V; [exact V|]. exact (prec_gt_0 prec).
  - match goal with |- tally _ _ _ ?n => apply (tally_sum _ _ _ _ _ 1 0 0 n); try ring end.
    + left. split; [easy|split; [easy|]]. simpl. right. split; [apply finite|]. rewrite (relu_box_bias _ _ _ _ box : B2R (fbias c) = 1). lra.
    + unfold fterms. apply tally_seconds.
      intros [k v] I'. simpl fst. simpl snd. unfold real_weight. simpl fst. simpl snd.
      destruct (same_place _ _ && _) eqn:Q; right.
      * left. split; [easy|split; [easy|]]. simpl. apply andb_true_iff in Q. destruct Q as [Q L].
        apply fires_same_place with (x := real_input x) in Q. rewrite M in Q.
        destruct (firing_term k v I' Q) as [B _]. apply product_at_most_more with (2 := B).
        revert L. case Rle_bool_spec; [intros L _; lra|discriminate].
      * right. split; [easy|split; [easy|]]. simpl. destruct (fires_at (units k) (real_input x)) eqn:F.
        -- destruct (firing_term k v I' F) as [B L]. now apply product_at_most_more with (2 := B).
        -- apply product_exactly_at_most. now apply silent_term.
Qed.

End ReluBox.

(** ** Step *)

Section StepBox.

Variables (units : sides) (scale : scales) (c : fcell) (x u : nat -> datum).
Hypothesis finite : finite_cell c.
Hypothesis box : step_box unbounded (real_cell c).
Hypothesis units_tell : forall i w, In (i, w) (fweights c) -> ftells Step (units i) (scale i) x (u i).

Lemma step_value : forall i w, In (i, w) (fweights c) ->
  exactly (if fires_at (units i) (real_input x) then 1 else 0) (u i).
Proof.
  intros i w I. specialize (units_tell i w I). unfold ftells in units_tell.
  destruct (fires_at _ _); [now apply units_tell|exact units_tell].
Qed.

Lemma real_units_tell : forall i w, In (i, w) (weights (real_cell c)) ->
  real_input u i = if fires_at (units i) (real_input x) then 1 else 0.
Proof.
  intros i w I. apply in_real_weights in I. destruct I as (w' & I & _). now destruct (step_value i w' I).
Qed.

(** What a term adds, in the reals: what is asked of it where it is met, and otherwise one less. *)
Notation adds := (Boxes.adds (real_input u)).

Lemma fstep_term : forall i w, In (i, w) (fweights c) -> product_exactly (adds (i, B2R w)) w (u i).
Proof. intros i w I. destruct (step_value i w I) as [F _]. split; [now apply finite with i|now split]. Qed.

Lemma adds_met : forall t, In t (weights (real_cell c)) ->
  adds t = asks t - (if met units (real_input x) t then 0 else 1).
Proof.
  intros t I. exact (step_term unbounded units (real_cell c) (real_input x) _ box real_units_tell t I).
Qed.

Lemma adds_at_most : forall t, In t (weights (real_cell c)) -> adds t <= asks t.
Proof. intros t I. rewrite (adds_met t I). destruct (met _ _ t); lra. Qed.

(** If some unit has to fire, the sum is exact. *)
Lemma fstep_sum_exact : forall r, (0 < required (real_cell c))%nat -> fsums (fbias c) (fterms u c) r ->
  exactly (total (map adds (weights (real_cell c))) - INR (required (real_cell c))) r.
Proof.
  intros r Q S. assert (C := step_box_count _ _ box Q).
  assert (Hb : B2R (fbias c) = - INR (required (real_cell c))) by exact (step_box_bias _ _ box).
  assert (L : INR (length (weights (real_cell c))) <= pow2 prec).
  { rewrite INR_IZR_INZ, <- IZR_Zpower.
    - now apply IZR_le.
    - generalize (prec_gt_0 prec). lia. }
  assert (E : map (fun t => B2R (fst t) * B2R (snd t)) (fterms u c) = map adds (weights (real_cell c))).
  { unfold fterms. simpl. rewrite !map_map. apply map_ext. now intros [i w]. }
  assert (B : pow2 prec < pow2 emax) by (apply bpow_lt; exact (prec_lt_emax prec emax)).
  assert (Bp : positives (B2R (fbias c) :: map adds (weights (real_cell c))) <= pow2 prec).
  { apply Rle_trans with (2 := L). unfold positives. cbn [map total fold_right]. rewrite map_map.
    fold (total (map (fun t => positive_part (adds t)) (weights (real_cell c)))).
    unfold positive_part at 1. rewrite Hb, Rmax_right by (generalize (pos_INR (required (real_cell c))); lra).
    rewrite <- total_ones, Rplus_0_l. apply total_map_le. intros t I.
    unfold positive_part. apply Rmax_lub; [|lra]. generalize (adds_at_most t I). unfold asks.
    destruct (Rlt_dec 0 (snd t)); lra. }
  assert (Bn : negatives (B2R (fbias c) :: map adds (weights (real_cell c))) <= pow2 prec).
  { apply Rle_trans with (2 := L). unfold negatives. cbn [map total fold_right]. rewrite map_map.
    fold (total (map (fun t => positive_part (- adds t)) (weights (real_cell c)))).
    unfold positive_part at 1. rewrite Hb, Ropp_involutive, Rmax_left by apply pos_INR.
    rewrite <- total_ones, required_total, total_map_plus.
    apply total_map_le. intros t I. rewrite (adds_met t I). unfold asks, positive_part.
    destruct (Rlt_dec 0 (snd t)), (met units (real_input x) t) eqn:M; unfold Rmax; destruct (Rle_dec _ _); lra. }
  replace (total (map adds (weights (real_cell c))) - INR (required (real_cell c)))
    with (total (B2R (fbias c) :: map adds (weights (real_cell c)))) by (simpl; rewrite Hb; unfold total; ring).
  rewrite <- E in *. apply fsums_total with (e := 0%Z) (10 := S); simpl (pow2 0); try lra.
  - now apply emin_negative.
  - apply finite.
  - intros w v I. apply in_fterms in I. destruct I as (i & I & ->). destruct (fstep_term i w I) as (F & G & _).
    now split.
  - exists (- Z.of_nat (required (real_cell c)))%Z. rewrite Hb, opp_IZR, <- INR_IZR_INZ. ring.
  - intros w v I. apply in_fterms in I. destruct I as (i & I & ->).
    destruct (step_value i w I) as [_ ->].
    destruct (step_box_weight _ _ box i (B2R w) (real_weight_in _ _ _ _ _ I)) as [-> | ->],
      (fires_at (units i) (real_input x)); [exists 1%Z|exists 0%Z|exists (-1)%Z|exists 0%Z]; simpl; ring.
Qed.

Lemma fasks_nothing : required (real_cell c) = 0%nat -> forall t, In t (weights (real_cell c)) -> asks t = 0.
Proof. intros Q t I. exact (asks_nothing (real_cell c) Q t I). Qed.

Lemma step_box_zero : forall r, inside units (real_cell c) (real_input x) = true ->
  fsums (fbias c) (fterms u c) r -> exactly 0 r.
Proof.
  intros r H S. unfold inside in H. rewrite forallb_forall in H.
  destruct (Nat.eq_dec (required (real_cell c)) 0) as [Q | Q].
  - apply (fsums_bias prec emax _ _ 0 (fbias c) (fterms u c)); auto; [lia| |].
    + split; [apply finite|]. rewrite (step_box_bias _ _ box : B2R (fbias c) = _), Q. simpl. ring.
    + intros w v I. apply in_fterms in I. destruct I as (i & I & ->).
      assert (I' := real_weight_in _ _ _ _ _ I).
      replace 0 with (adds (i, B2R w)); [now apply fstep_term|].
      rewrite (adds_met _ I'), (H _ I'), (fasks_nothing Q _ I'). ring.
  - replace 0 with (total (map adds (weights (real_cell c))) - INR (required (real_cell c))).
    + apply fstep_sum_exact; [lia|exact S].
    + rewrite required_total, (map_ext_in adds asks); [ring|].
      intros t I. rewrite (adds_met t I), (H t I). ring.
Qed.

Lemma step_box_negative : forall r, inside units (real_cell c) (real_input x) = false ->
  fsums (fbias c) (fterms u c) r -> at_most (-1) r.
Proof.
  intros r H S. apply outside_unmet in H. destruct H as (i & w & I & M).
  assert (T := adds_met _ I). rewrite M in T.
  destruct (Nat.eq_dec (required (real_cell c)) 0) as [Q | Q].
  - set (unmet t := if met units (real_input x) t then false else true).
    apply fsums_at_most_minus_one with (3 := S)
      (n := zsum (fun t => if unmet (real_weight t) then 1%Z else 0%Z) (fweights c)).
    + match goal with |- tally _ _ _ ?n => apply (tally_sum _ _ _ _ _ 0 0 0 n); try ring end.
      * right. right. split; [easy|split; [easy|]]. simpl. right. split; [apply finite|]. rewrite (step_box_bias _ _ box : B2R (fbias c) = _), Q. simpl. lra.
      * unfold fterms. apply tally_seconds.
        intros [k v] K. assert (K' := real_weight_in _ _ _ _ _ K). assert (A := adds_met _ K').
        assert (P := fstep_term k v K). apply product_exactly_at_most in P.
        rewrite A, (fasks_nothing Q _ K') in P. unfold unmet, real_weight. simpl fst. simpl snd.
        right. destruct (met units (real_input x) (k, B2R v)); [right|left];
          (split; [easy|split; [easy|]]; apply product_at_most_more with (2 := P); simpl; lra).
    + rewrite zsum_count. assert (F : In (i, w) (filter unmet (map real_weight (fweights c)))).
      { apply filter_In. split; [exact I|]. unfold unmet. now rewrite M. }
      destruct (filter _ _); [destruct F|simpl length; lia].
  - assert (E := fstep_sum_exact r ltac:(lia) S). destruct E as [F E]. right. split; [exact F|].
    rewrite E, required_total.
    generalize (total_map_less _ adds asks (weights (real_cell c)) (i, w) 1 adds_at_most I). lra.
Qed.

End StepBox.

(** ** The indicator theorem *)

(** On every path, a recognised box over units that tell is exactly 1 inside and exactly 0 outside, whatever overflows
    before it, and its sum is not NaN. *)
Theorem box_indicator_with_overflow : forall act units scale c x u r,
  finite_cell c -> recognised_box unbounded act units scale (real_cell c) ->
  (forall i w, In (i, w) (fweights c) -> ftells act (units i) (scale i) x (u i)) ->
  fsums (fbias c) (fterms u c) r ->
  is_nan r = false /\
  exactly (if inside units (real_cell c) (real_input x) then 1 else 0) (factivate act r).
Proof.
  intros act units scale c x u r F B T S.
  destruct act; simpl in B; [| |destruct B]; simpl factivate;
    destruct (inside units (real_cell c) (real_input x)) eqn:I.
  - assert (E := step_box_zero units scale c x u F B T r I S).
    split; [exact (exactly_is_not_nan _ _ _ _ E)|]. now apply step_from_zero_on, exactly_is_at_least.
  - assert (E := step_box_negative units scale c x u F B T r I S).
    split; [exact (at_most_is_not_nan _ _ _ _ E)|]. apply step_below_zero with (2 := E). lra.
  - assert (E := relu_box_one units scale c x u F B T r I S).
    split; [exact (exactly_is_not_nan _ _ _ _ E)|].
    rewrite (relu_above_zero _ _ 1 r); [exact E|lra|now apply exactly_is_at_least].
  - assert (E := relu_box_dominated units scale c x u F B T r I S).
    split; [exact (at_most_is_not_nan _ _ _ _ E)|]. now apply relu_up_to_zero.
Qed.

End Boxes.
