(** * Instances: a network whose decision is the same on every path, and a bound that would be false

    The hypotheses of [Audit.v] can be met; and what a sum can reach has to be taken over all that its leaves may be. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError Formats SumBound SumBoundFormats Margin Audit.

Import ListNotations.
Open Scope R_scope.

(** ** Two outputs, [x + 1] and [x - 1]

    Stored in bfloat16, summed in binary32, rounded to nearest, anything narrowed at will: for every [x] from 1 to 2 on the
    grid of [2^-6], the first is above the second. *)

Inductive place := Input | Winner | Rival.

Definition place_eq_dec : forall a b : place, {a = b} + {a <> b}.
Proof. decide equality. Defined.

Definition storage : arithmetic := FLT_nearest (- 133) 8 eq_refl ltac:(lia).
Definition accumulator : arithmetic := FLT_nearest (- 149) 24 eq_refl ltac:(lia).

Definition shift (i : place) : R := match i with Winner => 1 | _ => -1 end.

Definition sum_known (i : place) : knowledge :=
  {| leaf_spans := [ {| low := shift i; high := shift i; charge := 0 |}; {| low := 1; high := 2; charge := 0 |} ];
     whole := 3; most := 3; narrowings := 0; each := 0; grid_of := Some (-6)%Z |}.

Notation becomes_here := (becomes storage accumulator 0 0 true).

Lemma radius_zero : forall i, radius_of (-133) 8 (-149) 24 (/ 2) 0 0 true (sum_known i) = 0.
Proof.
  intros i. unfold radius_of, bound. simpl INR. rewrite Rmult_0_l, Rplus_0_r. unfold span_charge. simpl.
  rewrite !Rplus_0_r. induction (Nat.pred _) as [| k IH]; [easy |]. cbn [climb]. rewrite IH. simpl.
  destruct Rle_dec as [_ | L]; [ring | exfalso]. apply L. lra.
Qed.

Lemma known_here : forall i, consistent (-133) 8 (-149) 24 (/ 2) 0 0 true (sum_known i).
Proof.
  intros i. split; [split; [lia | apply bpow_ge_0] | split; [simpl; lra | split; [| now left]]].
  unfold span_most. apply Rle_trans with (1 := Rmin_l _ _). unfold span_positives, span_negatives. simpl.
  unfold positive_part. apply Rmax_lub; destruct i; simpl; unfold Rmax; repeat destruct Rle_dec; lra.
Qed.

(** A certificate: slope 1 for the winner, -1 for its rival, so that the input cancels. *)
Definition two_apart : @certificate place :=
  {| form := difference place_eq_dec Winner Rival; lambda := difference place_eq_dec Winner Rival;
     h0 := fun i => match i with Input => 1 | Winner => 2 | Rival => 0 end;
     z0 := fun i => match i with Input => 1 | Winner => 2 | Rival => 0 end;
     multiplier := difference place_eq_dec Winner Rival; slack := fun _ => 0; miss := fun _ => 0; least := fun _ => 0 |}.

Definition leaves_here (x : R) (i : place) : list leaf := [Number (shift i); Product 1 x].

Definition runs_here (x : R) (i : place) (s : R) : Prop :=
  exists t n, Permutation (leaves t) (leaves_here x i) /\ (n <= 0)%nat /\
    runs becomes_here (narrows storage 0) t n s.

Lemma storage_errs : errs_by (/ 2) (-133) 8 storage.
Proof. apply nearest_errs. Qed.

Lemma accumulator_errs : errs_by (/ 2) (-149) 24 accumulator.
Proof. apply nearest_errs. Qed.

Lemma exact_charge : forall l, on_grid (-6) (exact l) -> Rabs (exact l) <= pow2 (8 + -6) ->
  charged becomes_here (on (Some (-6)%Z)) l 0.
Proof.
  intros l G L. apply (charged_value (-133) 8 (-149) 24) with (rho := / 2); auto using storage_errs, accumulator_errs; try lia.
  - apply (reached_value (-133) 8) with (rho := / 2) (e := (-6)%Z); auto using storage_errs; lia.
  - right. apply Rabs_pos.
Qed.

Theorem decided_on_every_path : forall x above below, on_grid (-6) x -> 1 <= x <= 2 ->
  runs_here x Winner above -> runs_here x Rival below -> below < above.
Proof.
  intros x above below G X Hw Hr.
  set (given := fun i => match i with Input => x | Winner => above | Rival => below end).
  set (weight := fun i j : place => match j with Input => 1 | _ => 0 end).
  assert (Lin : forall i, In i [Winner; Rival] ->
    total (map exact (leaves_here x i)) = sigma ([Input] ++ [Winner; Rival]) (fun j => weight i j * given j) + shift i).
  { intros i _. unfold sigma, weight. simpl. ring. }
  assert (Formed : forall i, In i [Winner; Rival] ->
    forms storage accumulator 0 0 true (sum_known i) (leaves_here x i) (given i)).
  { intros i N. split; [| split].
    - constructor; [| constructor; [| constructor]].
      + split; [simpl; lra |]. apply exact_charge; simpl.
        * exists (match i with Winner => 64 | _ => -64 end)%Z. destruct i; simpl; lra.
        * destruct i; simpl; unfold Rabs; destruct Rcase_abs; lra.
      + split; [simpl; lra |]. apply exact_charge; simpl.
        * destruct G as [m ->]. exists m. ring.
        * unfold Rabs. destruct Rcase_abs; lra.
    - simpl. destruct i; simpl; unfold Rabs; destruct Rcase_abs; lra.
    - destruct N as [<- | [<- | []]]; [exact Hw | exact Hr]. }
  set (p := Build_path storage accumulator 0 0 true [Input] [Winner; Rival] sum_known given given (leaves_here x) weight shift
    Lin Formed).
  change (gives _ _ _ _ _ _ _ _ p Rival < gives _ _ _ _ _ _ _ _ p Winner).
  apply (decided (-133) 8 (-149) 24 ltac:(lia) ltac:(lia) ltac:(lia) ltac:(lia) storage accumulator (/ 2) ltac:(lra)
    storage_errs accumulator_errs 0 0 (Rle_refl _) (Rle_refl _) true [Input] [Winner; Rival] sum_known (fun i _ => known_here i)
    place_eq_dec Winner [Rival] (fun _ => two_apart) p); simpl; auto.
  - repeat (constructor; [simpl; intuition discriminate |]). constructor.
  - intros b [<- | []]. split; [reflexivity | split].
    + unfold allows. simpl. repeat split.
      * intros i [<- | [<- | []]]; unfold missed, sigma; simpl; lra.
      * intros j J. unfold passed, sigma, weight. simpl.
        replace (_ - _) with 0 by (destruct j; unfold difference; simpl; ring). rewrite Rabs_R0. lra.
      * intros j [<- | []]. unfold difference. simpl. lra.
      * intros i [<- | [<- | []]]; unfold difference; simpl; lra.
    + unfold margin_of, margin, sigma. cbn [map total fold_right app]. rewrite !radius_zero.
      unfold two_apart, difference. simpl. lra.
Qed.

(** Such paths are there. *)
Lemma there_are_paths : forall x i, exists s, runs_here x i s.
Proof.
  intros x i. destruct (evaluates_total accumulator (Add (Leaf (Number (shift i))) (Leaf (Product 1 x)))) as [s H].
  exists s, (Add (Leaf (Number (shift i))) (Leaf (Product 1 x))), 0%nat. repeat split; auto. now apply evaluates_becomes.
Qed.

(** ** What a sum can reach, at one point of its spans

    Three bits, any of the two neighbours. The leaves are in [1, 4], at 1/8 twice, and in [-4, -1]. At (1, 1/8, 1/8, -1) the
    positive ones are 5/4, and the bound with that would be 3/4; from (4, 1/8, 1/8, -4) a path is off by 7/4. *)

Definition three_bits : arithmetic := FLT_arithmetic (-10) 3 eq_refl ltac:(lia).
Definition ulp3 (t : R) : R := 1 * ulp radix2 (FLT_exp (-10) 3) t.

Lemma up_from_four : forall t, 4 <= t < 8 -> rounds three_bits t (IZR (Zceil t)).
Proof.
  intros t T. right. unfold round, scaled_mantissa, cexp.
  rewrite (mag_unique_pos radix2 t 3) by (simpl; lra). unfold FLT_exp, F2R. simpl. now rewrite !Rmult_1_r.
Qed.

Lemma ulp_from_one : forall t, 1 <= t < 2 -> ulp3 t = / 4.
Proof.
  intros t T. unfold ulp3. rewrite ulp_neq_0 by lra. unfold cexp. rewrite (mag_unique_pos radix2 t 1) by (simpl; lra).
  unfold FLT_exp. simpl. lra.
Qed.

Theorem one_point_is_not_enough :
  let reference := [1; / 8; / 8; -1] in let ls := [Number 4; Number (/ 8); Number (/ 8); Number (-4)] in
  climb (Rmax (positives reference) (negatives reference)) ulp3 3 0 = 3 / 4 /\
  exists t r, leaves t = ls /\ Forall (fun l => value three_bits (exact l)) ls /\ evaluates three_bits t r /\
    r - total (map exact ls) = 7 / 4.
Proof.
  split.
  - replace (Rmax _ _) with (5 / 4).
    + cbn [climb]. rewrite (ulp_from_one (5 / 4 + 0)), (ulp_from_one (5 / 4 + (0 + / 4))) by lra.
      rewrite (ulp_from_one (5 / 4 + (0 + / 4 + / 4))) by lra. lra.
    + unfold positives, negatives, positive_part. simpl. unfold Rmax. repeat destruct Rle_dec; lra.
  - exists (Add (Add (Add (Leaf (Number 4)) (Leaf (Number (/ 8)))) (Leaf (Number (/ 8)))) (Leaf (Number (-4)))), 2.
    assert (V : forall m e, (Z.abs m <= 2 ^ 3)%Z -> (-10 <= e)%Z -> value three_bits (IZR m * pow2 e)).
    { intros m e M E. apply (value_grid three_bits); [| exact M]. now apply FLT_power. }
    split; [reflexivity | split; [| split]].
    + assert (V4 : value three_bits 4) by (replace 4 with (IZR 4 * pow2 0) by (simpl; ring); apply V; lia).
      assert (V8 : value three_bits (/ 8)) by (replace (/ 8) with (IZR 1 * pow2 (-3)) by (simpl; lra); apply V; lia).
      repeat constructor; simpl exact; auto. change (-4) with (- (4)). now apply value_opp.
    + apply evaluates_add with 6 (-4); [apply evaluates_add with 5 (/ 8); [apply evaluates_add with 4 (/ 8) | |] | |];
        try apply evaluates_number.
      * replace 5 with (IZR (Zceil (4 + / 8))); [apply up_from_four; lra |]. f_equal. apply Zceil_imp. simpl. lra.
      * replace 6 with (IZR (Zceil (5 + / 8))); [apply up_from_four; lra |]. f_equal. apply Zceil_imp. simpl. lra.
      * replace (6 + -4) with 2 by ring. apply rounds_itself.
        replace 2 with (IZR 2 * pow2 0) at 1 by (simpl; ring). apply V; lia.
    + simpl. lra.
Qed.
