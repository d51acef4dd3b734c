(** * Bounded exponents: saturation

    Instead of an infinity, overflow may give the largest value in every direction. Such an operation gives
    what one of the five directions gives: its own, or the one towards zero. So saturating arithmetic is among
    the paths, and all that holds of every path holds of it. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool Arith.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Network Boxes BoxNetwork.
From Roundproof Require Import Overflow OverflowSums OverflowGrid OverflowAccumulator.
From Roundproof Require Import OverflowUnits OverflowBoxes OverflowNetwork.

Import ListNotations.
Open Scope R_scope.

(** ** One operation *)

Section Operation.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation fexp := (SpecFloat.fexp prec emax).
Notation datum := (binary_float prec emax).
Notation value := (Overflow.value prec emax).

Local Instance valid_fexp : Valid_exp fexp := FLT_exp_valid (SpecFloat.emin prec emax) prec.

(** The largest value, with a sign. *)
Definition largest (negative : bool) : datum :=
  SF2B _ (binary_overflow_correct prec emax _ _ mode_ZR negative).

Definition saturate (r : datum) : datum :=
  match r with B754_infinity s => largest s | _ => r end.

Lemma largest_value : forall s, is_finite (largest s) = true /\
  B2R (largest s) = (if s then -1 else 1) * (pow2 emax - pow2 (emax - prec)).
Proof.
  intros s. destruct (overflow_gives prec emax _ mode_ZR s (largest s)) as [E | H]; [|discriminate E|exact H].
  apply B2SF_SF2B.
Qed.

(** Beyond the largest value, rounding towards zero gives it. *)
Lemma toward_zero_gives_largest : forall m t r,
  pow2 emax <= Rabs (round radix2 fexp (round_mode m) t) -> delivers prec emax mode_ZR t r ->
  r = largest (Rlt_bool t 0).
Proof.
  intros m t r O. destruct (largest_value true) as [_ L]. destruct (largest_value false) as [_ H].
  assert (VL := value_of_datum prec emax (largest true)).
  assert (VH := value_of_datum prec emax (largest false)).
  assert (G : pow2 (emax - prec) < pow2 emax) by (apply bpow_lt; generalize (prec_gt_0 prec); lia).
  assert (P := bpow_gt_0 radix2 (emax - prec)).
  assert (T : if Rlt_bool t 0 then t <= B2R (largest true) else B2R (largest false) <= t).
  { case Rlt_bool_spec; intros S; apply Rnot_lt_le; intros C; apply (Rle_not_lt _ _ O).
    - assert (A : B2R (largest true) <= round radix2 fexp (round_mode m) t)
        by (apply round_ge_generic; auto with typeclass_instances; try apply VL; lra).
      assert (B : round radix2 fexp (round_mode m) t <= 0)
        by (apply round_le_generic; auto with typeclass_instances; try apply generic_format_0; lra).
      rewrite Rabs_left1 by exact B. lra.
    - assert (A : round radix2 fexp (round_mode m) t <= B2R (largest false))
        by (apply round_le_generic; auto with typeclass_instances; try apply VH; lra).
      assert (B : 0 <= round radix2 fexp (round_mode m) t)
        by (apply round_ge_generic; auto with typeclass_instances; try apply generic_format_0; lra).
      rewrite Rabs_pos_eq by exact B. lra. }
  unfold delivers. case Rlt_bool_spec; intros O'.
  - intros [F V]. assert (Vr := value_of_datum prec emax r).
    apply (value_abs prec emax _ _) in Vr. apply Rabs_le_inv in Vr.
    assert (E : B2R r = B2R (largest (Rlt_bool t 0))).
    { revert T. destruct (Rlt_bool t 0); intros T; apply Rle_antisym; try lra; rewrite V.
      - apply round_le_generic; auto with typeclass_instances. apply VL.
      - apply round_ge_generic; auto with typeclass_instances. apply VH. }
    apply B2R_inj; [| |exact E]; apply is_finite_strict_B2R; rewrite ?E;
      destruct (Rlt_bool t 0); rewrite ?L, ?H; lra.
  - intros E. apply B2SF_inj. rewrite E. symmetry. apply B2SF_SF2B.
Qed.

(** What saturates is finite, and it is what its own direction gives, or rounding towards zero. *)
Lemma saturate_delivers : forall m t r r', delivers prec emax m t r -> delivers prec emax mode_ZR t r' ->
  is_finite (saturate r) = true /\ (saturate r = r \/ saturate r = r').
Proof.
  intros m t r r' D D'. unfold delivers in D. revert D. case Rlt_bool_spec; intros O.
  - intros [F _]. destruct r; try discriminate; auto.
  - intros E. apply (toward_zero_gives_largest m) in D'; [|exact O]. subst r'.
    apply (overflow_gives prec emax _) in E. destruct E as [-> | [F _]].
    + split; [reflexivity|now right].
    + destruct r; try discriminate; auto.
Qed.

(** ** Trees *)

(** Paths that saturate. *)
Inductive saturating : ftree prec emax -> datum -> Prop :=
| saturating_number v : saturating (FLeaf (FNumber v)) v
| saturating_product m w x : saturating (FLeaf (FProduct w x)) (saturate (Bmult m w x))
| saturating_add m a b x y : saturating a x -> saturating b y ->
  saturating (FAdd a b) (saturate (Bplus m x y))
| saturating_contracted_left m w x b y :
    saturating b y -> saturating (FAdd (FLeaf (FProduct w x)) b) (saturate (Bfma m w x y))
| saturating_contracted_right m a y w x :
    saturating a y -> saturating (FAdd a (FLeaf (FProduct w x))) (saturate (Bfma m w x y)).

(** Over finite leaves they are paths, and everything is finite. *)
Lemma saturating_is_a_path : forall t r, saturating t r -> (forall l, In l (fleaves t) -> finite_leaf l) ->
  fevaluates t r /\ is_finite r = true.
Proof.
  induction 1 as [v | m w x | m a b x y _ IHa _ IHb | m w x b y _ IHb | m a y w x _ IHa]; intros F.
  - split; [constructor|]. apply (F (FNumber v)). now left.
  - destruct (F (FProduct w x)) as [Fw Fx]; [now left|].
    destruct (saturate_delivers m _ _ _ (mult_delivers prec emax _ _ m w x Fw Fx)
      (mult_delivers prec emax _ _ mode_ZR w x Fw Fx)) as [G [E | E]]; split; auto; rewrite E;
        apply fevaluates_product.
  - destruct IHa as [Ea Fa]; [intros l I; apply F, in_or_app; now left|].
    destruct IHb as [Eb Fb]; [intros l I; apply F, in_or_app; now right|].
    destruct (saturate_delivers m _ _ _ (plus_delivers prec emax _ _ m x y Fa Fb)
      (plus_delivers prec emax _ _ mode_ZR x y Fa Fb)) as [G [E | E]]; split; auto; rewrite E;
        now constructor.
  - destruct IHb as [Eb Fb]; [intros l I; apply F, in_or_app; now right|].
    destruct (F (FProduct w x)) as [Fw Fx]; [now left|].
    destruct (saturate_delivers m _ _ _ (fma_delivers prec emax _ _ m w x y Fw Fx Fb)
      (fma_delivers prec emax _ _ mode_ZR w x y Fw Fx Fb)) as [G [E | E]]; split; auto; rewrite E;
        now constructor.
  - destruct IHa as [Ea Fa]; [intros l I; apply F, in_or_app; now left|].
    destruct (F (FProduct w x)) as [Fw Fx]; [apply in_or_app; right; now left|].
    destruct (saturate_delivers m _ _ _ (fma_delivers prec emax _ _ m w x y Fw Fx Fa)
      (fma_delivers prec emax _ _ mode_ZR w x y Fw Fx Fa)) as [G [E | E]]; split; auto; rewrite E;
        now constructor.
Qed.

End Operation.

Arguments saturate {prec emax} {prec_positive prec_below_emax} r.
Arguments saturating {prec emax} {prec_positive prec_below_emax} t r.

(** ** Networks *)

Section Network.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

(** The accumulator, at least as wide; the same format if there is none. *)
Variable wide_prec wide_emax : Z.
Context (wide_prec_positive : Prec_gt_0 wide_prec) (wide_prec_below_emax : Prec_lt_emax wide_prec wide_emax).
Hypothesis wide : wider prec emax wide_prec wide_emax.

Notation datum := (binary_float prec emax).
Notation fcell := (OverflowUnits.fcell prec emax).
Notation fneuron := (OverflowAccumulator.fneuron prec emax wide_prec wide_emax _ _ _ _).
Notation fgives := (OverflowNetwork.fgives prec emax _ _ wide_prec wide_emax _ _).
Notation falways_gives := (OverflowNetwork.falways_gives prec emax _ _ wide_prec wide_emax _ _).
Notation frecognised := (OverflowNetwork.frecognised prec emax _ _).
Notation widened := (widen prec emax wide_prec wide_emax _ _).
Notation widened_term := (widen_term prec emax wide_prec wide_emax _ _).

Definition saturating_neuron (bias : datum) (terms : list (datum * datum)) (r : datum) : Prop :=
  exists t s m, Permutation (fleaves t) (fleaves_of (widened bias) (map widened_term terms)) /\
    saturating t s /\ r = saturate (convert m s).

Definition saturating_gives (act : activation) (cells : list fcell) (x y : nat -> datum) : Prop :=
  forall i c, nth_error cells i = Some c ->
    exists r, saturating_neuron (fbias c) (fterms x c) r /\ y i = factivate act r.

Lemma saturating_neuron_is_a_path : forall bias terms r, is_finite bias = true ->
  (forall w x, In (w, x) terms -> is_finite w = true /\ is_finite x = true) ->
  saturating_neuron bias terms r -> fneuron bias terms r /\ is_finite r = true.
Proof.
  intros bias terms r Fb Ft (t & s & m & P & S & ->).
  destruct (saturating_is_a_path wide_prec wide_emax _ _ t s S) as [E F].
  { intros l I. apply (Permutation_in l P) in I. rewrite widen_leaves_of in I. destruct I as [<- | I].
    - now apply (widen_finite prec emax wide_prec wide_emax _ _ _ wide).
    - apply in_map_iff in I. destruct I as (k & <- & I). apply in_map_iff in I.
      destruct I as ([w x] & <- & I).
      destruct (Ft w x I). split; now apply (widen_finite prec emax wide_prec wide_emax _ _ _ wide). }
  destruct (saturate_delivers prec emax _ _ m _ _ _
    (convert_delivers wide_prec wide_emax prec emax _ _ m s F)
    (convert_delivers wide_prec wide_emax prec emax _ _ mode_ZR s F)) as [G [E' | E']]; split; auto;
      rewrite E'.
  - exists s, m. split; [now exists t|reflexivity].
  - exists s, mode_ZR. split; [now exists t|reflexivity].
Qed.

Lemma factivate_finite : forall act (r : datum), is_finite r = true -> is_finite (factivate act r) = true.
Proof.
  intros [] r F; simpl; [unfold fstep|unfold frelu|exact F].
  - destruct (Bleb (B754_zero false) r); [apply is_finite_Bone|reflexivity].
  - destruct (is_nan r), (Bltb (B754_zero false) r); auto.
Qed.

(** A layer that saturates takes one of its paths, and gives finite data. *)
Lemma saturating_layer : forall act cells x y, (forall c, In c cells -> finite_cell c) ->
  (forall c j w, In c cells -> In (j, w) (fweights c) -> is_finite (x j) = true) ->
  saturating_gives act cells x y ->
  fgives act cells x y /\ forall i, (i < length cells)%nat -> is_finite (y i) = true.
Proof.
  intros act cells x y F X S.
  assert (N : forall i c, nth_error cells i = Some c ->
    exists r, fneuron (fbias c) (fterms x c) r /\ is_finite r = true /\ y i = factivate act r).
  { intros i c E. destruct (S i c E) as (r & T & ->). exists r. apply nth_error_In in E.
    apply saturating_neuron_is_a_path in T.
    - now repeat split.
    - now apply F.
    - intros w v I. apply in_fterms in I. destruct I as (j & I & ->).
      split; [now apply (F c E) with j|now apply X with c w]. }
  split.
  - intros i c E. destruct (N i c E) as (r & T & _ & Y). now exists r.
  - intros i L. destruct (nth_error cells i) as [c |] eqn:E; [|apply nth_error_None in E; lia].
    destruct (N i c E) as (r & _ & G & ->). now apply factivate_finite.
Qed.

(** What a recognised network gives for sure, it gives as well where overflow gives the largest value. *)
Theorem saturation_too : forall D n units scale x f, frecognised D n units scale ->
  (forall j, is_finite (x j) = true) -> falways_gives n x f ->
  forall u h y,
    saturating_gives (fhidden _ _ n) (ffirst _ _ n) x u ->
    saturating_gives (fhidden _ _ n) (fsecond _ _ n) u h ->
    saturating_gives Identity (flast _ _ n) h y ->
    forall o, (o < length (flast _ _ n))%nat -> exactly (f o) (y o).
Proof.
  intros D n units scale x f [F R _] Fx [_ A] u h y U H Y.
  destruct (saturating_layer _ _ _ _ (fun c I => F c (in_or_app _ _ _ (or_introl I))) (fun c j w _ _ => Fx
    j) U)
    as [U' Fu].
  destruct (saturating_layer (fhidden _ _ n) (fsecond _ _ n) u h) as [H' Fh]; auto.
  { intros c I. apply F, in_or_app. right. apply in_or_app. now left. }
  { intros c j w I J. apply Fu. apply In_nth_error in I. destruct I as [b E].
    apply (real_layer prec emax) in E. apply real_weight_in in J.
    pose proof (second_reads _ _ _ _ _ R b _ j _ E J) as L. simpl in L. now rewrite map_length in L. }
  destruct (saturating_layer Identity (flast _ _ n) h y) as [Y' _]; auto.
  { intros c I. apply F, in_or_app. right. apply in_or_app. now right. }
  { intros c j w I J. apply Fh. apply In_nth_error in I. destruct I as [b E].
    apply (real_layer prec emax) in E. apply real_weight_in in J.
    pose proof (last_reads _ _ _ _ _ R b _ j _ E J) as L. simpl in L. now rewrite map_length in L. }
  now apply (A u h y U' H' Y').
Qed.

End Network.
