(** * Bounded exponents, with infinities: an instance

    The side conditions can be met where there is a largest value, and overflow does occur. The network has
    one ReLU unit with the threshold 1 and [K = 2^prec], one box, and one label [y], which may be any finite
    datum. *)

From Coq Require Import List ZArith Reals Lra Lia Bool Arith.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Sums Network Units Boxes BoxNetwork.
From Roundproof Require Import Overflow OverflowAccumulator OverflowUnits OverflowNetwork.

Import ListNotations.
Open Scope R_scope.

Section Instance.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).
(** Otherwise the value before 1 is not [1 - 2^-prec]. *)
Hypothesis emax_3 : (3 <= emax)%Z.

Notation emin := (SpecFloat.emin prec emax).
Notation fexp := (SpecFloat.fexp prec emax).
Notation datum := (binary_float prec emax).
Notation value := (Overflow.value prec emax).
Notation unbounded := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).

Local Instance valid_fexp : Valid_exp fexp := FLT_exp_valid emin prec.

(** The datum of a small power of two. *)
Definition power (negative : bool) (e : Z) : datum :=
  binary_normalize prec emax _ _ mode_NE (cond_Zopp negative 1) e false.

Lemma power_value : forall (s : bool) e, (emin <= e)%Z -> (e < emax)%Z ->
  exactly (if s then - pow2 e else pow2 e) (power s e).
Proof.
  intros s e L H. unfold power.
  generalize (binary_normalize_correct prec emax _ _ mode_NE (cond_Zopp s 1) e false). cbv zeta.
  replace (F2R (Float radix2 (cond_Zopp s 1) e)) with (if s then - pow2 e else pow2 e)
    by (unfold F2R; destruct s; simpl; ring).
  assert (V : value (if s then - pow2 e else pow2 e)).
  { assert (P : value (pow2 e)).
    { split; [apply generic_format_FLT_bpow; [exact prec_positive|exact L]|].
      rewrite Rabs_pos_eq by apply bpow_ge_0. now apply bpow_lt. }
    destruct s; [now apply value_opp|exact P]. }
  destruct V as [F B]. rewrite round_generic by (auto with typeclass_instances).
  rewrite Rlt_bool_true by exact B. intros (E & G & _). now split.
Qed.

Definition above_one (y : datum) : fnetwork prec emax := {|
  fhidden := Relu;
  ffirst := [{| fbias := power false prec; fweights := [(0%nat, power true prec)] |}];
  fsecond := [{| fbias := power false 0; fweights := [(0%nat, power true 0)] |}];
  flast := [{| fbias := B754_zero false; fweights := [(0%nat, y)] |}]
|}.

(** The unit: it fires up to the value before 1. *)
Definition below_one : side := {| column := 0; upper := false; fires := 1 - pow2 (- prec); silent := 1 |}.

Lemma value_before_one : adjacent unbounded (1 - pow2 (- prec)) 1.
Proof.
  assert (F : fexp 0 = (- prec)%Z) by (unfold SpecFloat.fexp, SpecFloat.emin; lia).
  assert (P : pred radix2 fexp 1 = 1 - pow2 (- prec)).
  { change 1 with (pow2 0) at 1. rewrite pred_bpow, F. reflexivity. }
  assert (V := value_1 prec emax _ _). destruct V as [V _].
  rewrite <- P. split; [|split; [exact V|split]].
  - apply generic_format_pred; auto with typeclass_instances.
  - apply pred_lt_id. lra.
  - intros z Z. destruct (Rle_lt_dec 1 z) as [H | H]; [now right|left].
    apply pred_ge_gt; auto with typeclass_instances.
Qed.

Lemma above_one_recognised : forall y, is_finite y = true ->
  frecognised prec emax _ _ (every_input unbounded) (above_one y) (fun _ => below_one) (fun _ => prec).
Proof.
  intros y Fy. assert (A := value_before_one). generalize (prec_gt_0 prec) (prec_lt_emax prec emax).
  intros Hp He.
  assert (E0 : (emin <= 0)%Z) by now apply emin_negative.
  destruct (power_value false prec) as [F1 V1]; try lia. destruct (power_value true prec) as [F2 V2]; try lia.
  destruct (power_value false 0) as [F3 V3]; try lia. destruct (power_value true 0) as [F4 V4]; try lia.
  split.
  - intros c [<- | [<- | [<- | []]]]; (split; [assumption || reflexivity|]);
      intros j w [I | []]; injection I as _ <-; assumption.
  - split; simpl.
    + auto.
    + intros [|i] c E; [injection E as <-|destruct i; discriminate].
      apply Recognised_relu. split; [simpl; lia|split; [exact A|]]. unfold real_cell, real_weight. simpl.
      rewrite V1, V2. split; [ring|reflexivity].
    + intros [|i] c E; [injection E as <-|destruct i; discriminate].
      apply relu_box_strong; simpl; [exact V3|]. intros u w [I | []]. injection I as _ <-. exists 0%Z.
      split; [exact V4|]. simpl.
      replace (1 * (pow2 prec * (1 - (1 - pow2 (- prec))))) with (pow2 prec * pow2 (- prec)) by ring.
      rewrite <- bpow_plus, Z.add_opp_diag_r. simpl. lra.
    + intros [|i] c u w E I; [injection E as <-|destruct i; discriminate].
      destruct I as [I | []]. injection I as <- _. lia.
    + intros [|o] c b w E I; [injection E as <-|destruct o; discriminate].
      destruct I as [I | []]. injection I as <- _. lia.
  - intros i _ _. simpl. destruct A as (V & _ & L & _).
    assert (P := bpow_gt_0 radix2 prec). assert (Q := bpow_gt_0 radix2 (- prec)).
    assert (T : pow2 prec * pow2 (- prec) = 1) by (rewrite <- bpow_plus, Z.add_opp_diag_r; reflexivity).
    assert (S : pow2 (- prec) <= 1) by (change 1 with (pow2 0); apply bpow_le; lia).
    assert (M : pow2 prec < pow2 emax) by (now apply bpow_lt).
    assert (O : 1 <= pow2 prec) by (change 1 with (pow2 0); apply bpow_le; lia).
    split; apply (value_bounded prec emax prec_positive prec_below_emax).
    + exact V.
    + rewrite Rabs_pos_eq; lra.
    + apply Arithmetic.value_scale; [lia|exact V].
    + rewrite Rabs_pos_eq; nra.
Qed.

(** On every path the network gives [y] from 1 on, and zero below, at every finite input. *)
Theorem above_one_gives : forall y x, is_finite y = true -> (forall j, is_finite (x j) = true) ->
  falways_gives prec emax _ _ prec emax _ _ (above_one y) x
    (fun _ => if Rle_dec 1 (B2R (x 0%nat)) then B2R y else 0).
Proof.
  intros y x Fy Fx. assert (W : wider prec emax prec emax) by (split; lia).
  assert (V : every_input unbounded (real_input x)) by (intros j; apply (value_unbounded prec emax),
    value_of_datum).
  assert (L : labels (real_network prec emax (above_one y)) (fun _ => below_one) (real_input x)
    (real_cell {| fbias := B754_zero false; fweights := [(0%nat, y)] |})
    = if Rle_dec 1 (B2R (x 0%nat)) then [B2R y] else []).
  { unfold labels, around, box_at, inside, met, fires_at, real_weight, real_input. simpl.
    destruct (power_value true 0) as [_ ->];
      [now apply emin_negative|generalize (prec_lt_emax prec emax) (prec_gt_0 prec); lia|]. simpl.
    destruct value_before_one as (_ & _ & B & N). specialize (N _ (V 0%nat)). unfold real_input in N.
    destruct (Rlt_dec 0 (- (1))); [lra|].
    destruct (Rle_dec _ (1 - _)), (Rle_dec 1 _); simpl; trivial; lra. }
  assert (S := disjoint_boxes_with_overflow prec emax _ _ prec emax _ _ W (every_input unbounded)
    (above_one y)
    (fun _ => below_one) (fun _ => prec) x (above_one_recognised y Fy) V Fx).
  destruct S as [T G].
  { intros [|o] c E; [injection E as <-|destruct o; discriminate]. split; [reflexivity|].
    rewrite L. destruct (Rle_dec _ _); simpl; lia. }
  split; [exact T|]. intros u h z U H Z. destruct (G u h z U H Z) as (A & B & C & D).
  split; [exact A|split; [exact B|split; [exact C|]]]. intros o K. specialize (D o K).
  simpl in K. assert (o = 0%nat) as -> by lia.
  replace (if Rle_dec 1 (B2R (x 0%nat)) then B2R y else 0)
    with (label_around prec emax (above_one y) (fun _ => below_one) x 0); [exact D|].
  transitivity (hd 0 (labels (real_network prec emax (above_one y)) (fun _ => below_one) (real_input x)
    (real_cell {| fbias := B754_zero false; fweights := [(0%nat, y)] |}))); [reflexivity|].
  rewrite L. now destruct (Rle_dec _ _).
Qed.

End Instance.

(** In binary16, from left to right with ties to even, the unit gives plus infinity at the least input. The
    output is zero all the same, by [above_one_gives]. *)
Definition binary16_positive : Prec_gt_0 11 := eq_refl.
Definition binary16_below : Prec_lt_emax 11 16 := eq_refl.

Definition least_input : nat -> binary_float 11 16 :=
  fun _ => Bopp (@Bmax_float 11 16 binary16_positive binary16_below).

Example unit_overflows : forall y,
  let n := above_one 11 16 binary16_positive binary16_below y in
  @B2SF 11 16 (run_layer 11 16 binary16_positive binary16_below 11 16 binary16_positive binary16_below
    mode_NE Relu (ffirst 11 16 n) least_input 0) = SpecFloat.S754_infinity false.
Proof. intros y. vm_compute. reflexivity. Qed.
