(** * The error of a sum over all trees, with a largest value

    If the bound leaves room below the largest value, no path overflows, and each is within the bound. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError Formats SumBound SumBoundFormats.
From Roundproof Require Import Overflow OverflowSums OverflowGrid OverflowAccumulator OverflowUnits OverflowError.

Import ListNotations.
Open Scope R_scope.

Section Overflow.

Variables prec emax : Z.
Context (prec_positive : Prec_gt_0 prec) (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation unbounded := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).
Notation real := (real_tree prec emax).
Notation cost g := (on_cost emin prec emin prec 1 0 0 false g).

Lemma emin_one : (emin <= 0)%Z.
Proof. exact (emin_negative prec emax _ _). Qed.

Lemma unbounded_errs : errs_by 1 emin prec unbounded.
Proof. apply faithful_errs. Qed.

(** A path whose parts all are in range stays in range. *)
Lemma parts_stay : forall t, (forall s v, part_of s (real t) -> evaluates unbounded s v -> Rabs v < pow2 emax) ->
  stays prec emax _ _ t.
Proof.
  induction t as [l | a IHa b IHb]; intros H.
  - split; [intros v E; exact (H _ v (part_itself _) E) | easy].
  - split; [intros v E; exact (H _ v (part_itself _) E) |].
    split; [apply IHa | apply IHb]; intros s v P; apply H; [now apply part_left | now apply part_right].
Qed.

(** Every path over data, in any mixture of the five directions, is finite and within the bound. *)
Theorem sums_bound_with_overflow : forall g (bias : datum) terms ss T M r, is_finite bias = true ->
  (forall w x, In (w, x) terms -> is_finite w = true /\ is_finite x = true) ->
  let b := B2R bias in let ts := map (real_term prec emax) terms in
  is_grid emin 0 g -> Forall2 (spans (rounds unbounded) (on g)) (leaves_of b ts) ss ->
  Rabs (b + total (products ts)) <= T -> span_most ss T <= M -> M + bound M (cost g) 0 ss 0 < pow2 emax ->
  fsums bias terms r ->
  is_finite r = true /\ Rabs (B2R r - (b + total (products ts))) <= bound M (cost g) 0 ss 0.
Proof.
  intros g bias terms ss T M r Fb Ft b ts I S HT HM L (t & Q & H).
  assert (P : Permutation (leaves (real t)) (leaves_of b ts)).
  { rewrite real_leaves. apply (Permutation_map (real_leaf prec emax)) in Q.
    apply Permutation_trans with (1 := Q). unfold fleaves_of, leaves_of, b, ts. simpl. rewrite !map_map.
    apply Permutation_refl'. f_equal. apply map_ext. now intros [w x]. }
  assert (Fl : forall l, In l (fleaves t) -> finite_leaf l).
  { intros l J. apply (Permutation_in l Q) in J. destruct J as [<- | J]; [exact Fb |].
    apply in_map_iff in J. destruct J as ([w x] & <- & J). now apply Ft. }
  assert (HT' : Rabs (total (map exact (leaves_of b ts))) <= T) by now rewrite exact_leaves.
  destruct (path_without_overflow prec emax _ _ t r H Fl) as [G V].
  { apply parts_stay. intros s v Ps E. apply Rle_lt_trans with (2 := L).
    apply (parts_bound_FLT emin prec emin prec prec_positive (Z.le_refl _) (Z.le_refl _) emin_one unbounded unbounded 1
      Rle_0_1 unbounded_errs unbounded_errs 0 0 (Rle_refl _) (Rle_refl _) false g (leaves_of b ts) ss T M 0 (real t) s 0 0);
      auto using Rle_refl, rounds_spans. now apply evaluates_becomes. }
  split; [exact G |].
  apply (sums_bound emin prec prec_positive emin_one unbounded 1 Rle_0_1 unbounded_errs g b ts ss T M); auto.
  now exists (real t).
Qed.

End Overflow.
