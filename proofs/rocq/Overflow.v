(** * Bounded exponents, with infinities: operations and sums

    The other files speak of values without a largest one. Here numbers are data of a format with [emax], as Flocq defines
    them: what overflows becomes an infinity or the largest value, as the direction has it that the operation rounds in.
    Every operation takes one of the five directions of IEEE 754, whichever it likes.

    Reals are not enough to speak of such sums. What is known of a datum is a bound: it is at most [v], which minus infinity
    is as well, or at least [v]. Bounds by values pass through operations (R1), and neither NaN nor the wrong infinity
    satisfies one. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic.

Import ListNotations.
Open Scope R_scope.

Section Overflow.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation fexp := (SpecFloat.fexp prec emax).
Notation datum := (binary_float prec emax).

Local Instance valid_fexp : Valid_exp fexp := FLT_exp_valid emin prec.
Local Instance monotone_fexp : Monotone_exp fexp := FLT_exp_monotone emin prec.

Lemma prec_at_least_1 : (1 <= prec)%Z.
Proof. generalize (prec_gt_0 prec). lia. Qed.

Lemma emin_negative : (emin <= 0)%Z.
Proof. unfold SpecFloat.emin. generalize (prec_gt_0 prec) (prec_lt_emax prec emax). lia. Qed.

(** ** Values *)

Definition value (v : R) : Prop := generic_format radix2 fexp v /\ Rabs v < pow2 emax.

Lemma value_of_datum : forall x : datum, value (B2R x).
Proof.
  intros x. split.
  - now apply generic_format_B2R.
  - apply abs_B2R_lt_emax.
Qed.

(** What Flocq calls a value is one of a finite datum. *)
Lemma datum_of_value : forall v, value v -> exists x : datum, is_finite x = true /\ B2R x = v.
Proof.
  intros v [Fv Bv].
  set (m := Ztrunc (scaled_mantissa radix2 fexp v)). set (e := cexp radix2 fexp v).
  assert (E : F2R (Float radix2 m e) = v) by (symmetry; exact Fv).
  generalize (binary_normalize_correct prec emax _ _ mode_NE m e false). cbv zeta.
  rewrite E, round_generic, Rlt_bool_true; auto with typeclass_instances.
  intros (Rx & Fx & _). eauto.
Qed.

Lemma value_opp : forall v, value v -> value (- v).
Proof.
  intros v [Fv Bv]. split.
  - now apply generic_format_opp.
  - now rewrite Rabs_Ropp.
Qed.

Lemma value_0 : value 0.
Proof. exact (value_of_datum (B754_zero false)). Qed.

Lemma value_1 : value 1.
Proof. rewrite <- (Bone_correct prec emax _ _). apply value_of_datum. Qed.

(** No value is beyond the largest one. *)
Lemma value_abs : forall v, value v -> Rabs v <= pow2 emax - pow2 (emax - prec).
Proof.
  intros v Vv. destruct (datum_of_value v Vv) as (x & _ & <-).
  now apply abs_B2R_le_emax_minus_prec.
Qed.

(** G: small multiples of a power of two that the format has. *)
Lemma value_grid : forall m e, (emin <= e)%Z -> (Z.abs m <= 2 ^ prec)%Z -> Rabs (IZR m * pow2 e) < pow2 emax ->
  value (IZR m * pow2 e).
Proof.
  intros m e He Hm Hb. split; [|exact Hb].
  assert (P := prec_at_least_1).
  destruct (Z.eq_dec (Z.abs m) (2 ^ prec)) as [E|E].
  - assert (G : generic_format radix2 fexp (pow2 (prec + e))).
    { apply generic_format_FLT_bpow; [exact prec_positive|]. lia. }
    assert (S : IZR m = pow2 prec \/ IZR m = - pow2 prec).
    { rewrite <- (IZR_Zpower radix2 prec) by lia. change (radix2 ^ prec)%Z with (2 ^ prec)%Z.
      rewrite <- opp_IZR. destruct (Z.abs_eq_or_opp m) as [A|A]; [left|right]; f_equal; lia. }
    rewrite bpow_plus in G.
    destruct S as [-> | ->]; [exact G|].
    rewrite Ropp_mult_distr_l_reverse. now apply generic_format_opp.
  - apply generic_format_FLT. exists (Float radix2 m e); [reflexivity| |exact He].
    simpl. change (Z.pow_pos 2) with (Z.pow_pos radix2). lia.
Qed.

(** Values are multiples of the least spacing. *)
Lemma value_multiple : forall v, value v -> exists m, v = IZR m * pow2 emin.
Proof.
  intros v [Fv _].
  assert (F : generic_format radix2 (FIX_exp emin) v).
  { now apply generic_format_FIX_FLT with prec. }
  apply FIX_format_generic in F. destruct F as [[m e] -> He]. simpl in He. subst e. now exists m.
Qed.

Lemma value_least : value (pow2 emin).
Proof.
  replace (pow2 emin) with (IZR 1 * pow2 emin) by ring.
  apply value_grid.
  - apply Z.le_refl.
  - change (Z.abs 1) with (Z.succ 0). apply Zlt_le_succ, (Zpower_gt_0 radix2). generalize prec_at_least_1. lia.
  - rewrite Rmult_1_l, Rabs_pos_eq by apply bpow_ge_0. apply bpow_lt.
    now apply emin_lt_emax.
Qed.

(** R3 in its weakest form: a difference that is not zero is at least the least spacing. *)
Lemma difference_of_values : forall x y, value x -> value y -> x < y -> x - y <= - pow2 emin.
Proof.
  intros x y Vx Vy H.
  destruct (value_multiple x Vx) as [m ->]. destruct (value_multiple y Vy) as [n ->].
  assert (P := bpow_gt_0 radix2 emin).
  apply Rmult_lt_reg_r in H; [|exact P]. apply lt_IZR in H.
  assert (IZR m <= IZR n - 1) by (rewrite <- minus_IZR; apply IZR_le; lia).
  nra.
Qed.

(** ** What is known of a datum *)

(** Minus infinity, or a finite datum of at most [v]. *)
Definition at_most (v : R) (x : datum) : Prop :=
  x = B754_infinity true \/ (is_finite x = true /\ B2R x <= v).

(** Plus infinity, or a finite datum of at least [v]. *)
Definition at_least (v : R) (x : datum) : Prop :=
  x = B754_infinity false \/ (is_finite x = true /\ v <= B2R x).

(** A finite datum of this value; of zero, there are two. *)
Definition exactly (v : R) (x : datum) : Prop := is_finite x = true /\ B2R x = v.

Lemma at_most_is_not_nan : forall v x, at_most v x -> is_nan x = false.
Proof. intros v x [-> | [F _]]; [easy|]. now destruct x. Qed.

Lemma at_least_is_not_nan : forall v x, at_least v x -> is_nan x = false.
Proof. intros v x [-> | [F _]]; [easy|]. now destruct x. Qed.

Lemma exactly_is_not_nan : forall v x, exactly v x -> is_nan x = false.
Proof. intros v x [F _]. now destruct x. Qed.

(** ** One rounding *)

(** [delivers m t r]: rounding the real [t] in the direction [m] gives the datum [r], after overflow if there is any. *)
Definition delivers (m : mode) (t : R) (r : datum) : Prop :=
  if Rlt_bool (Rabs (round radix2 fexp (round_mode m) t)) (pow2 emax)
  then is_finite r = true /\ B2R r = round radix2 fexp (round_mode m) t
  else B2SF r = binary_overflow prec emax m (Rlt_bool t 0).

Lemma sign_of_value : forall x : datum, if Bsign x then B2R x <= 0 else 0 <= B2R x.
Proof.
  intros [[|] | [|] | | [|] m e H]; simpl; try lra.
  - now apply F2R_le_0.
  - now apply F2R_ge_0.
Qed.

(** What overflows is not zero. *)
Lemma overflow_not_zero : forall m t, pow2 emax <= Rabs (round radix2 fexp (round_mode m) t) -> t <> 0.
Proof.
  intros m t H ->. rewrite round_0, Rabs_R0 in H by (apply valid_rnd_round_mode).
  generalize (bpow_gt_0 radix2 emax). lra.
Qed.

Lemma plus_delivers : forall m x y, is_finite x = true -> is_finite y = true ->
  delivers m (B2R x + B2R y) (Bplus m x y).
Proof.
  intros m x y Fx Fy. generalize (Bplus_correct prec emax _ _ m x y Fx Fy). unfold delivers.
  case Rlt_bool_spec; intros O.
  - intros (V & F & _). now split.
  - intros (-> & S). f_equal. apply overflow_not_zero in O.
    generalize (sign_of_value x) (sign_of_value y). rewrite <- S.
    destruct (Bsign x); intros; [rewrite Rlt_bool_true|rewrite Rlt_bool_false]; auto; lra.
Qed.

Lemma mult_delivers : forall m x y, is_finite x = true -> is_finite y = true ->
  delivers m (B2R x * B2R y) (Bmult m x y).
Proof.
  intros m x y Fx Fy. generalize (Bmult_correct prec emax _ _ m x y). unfold delivers.
  case Rlt_bool_spec; intros O.
  - rewrite Fx, Fy. intros (V & F & _). now split.
  - intros ->. f_equal. apply overflow_not_zero in O.
    generalize (sign_of_value x) (sign_of_value y).
    destruct (Bsign x), (Bsign y); simpl; intros;
      [rewrite Rlt_bool_false|rewrite Rlt_bool_true|rewrite Rlt_bool_true|rewrite Rlt_bool_false]; auto; nra.
Qed.

Lemma fma_delivers : forall m x y z, is_finite x = true -> is_finite y = true -> is_finite z = true ->
  delivers m (B2R x * B2R y + B2R z) (Bfma m x y z).
Proof.
  intros m x y z Fx Fy Fz. generalize (Bfma_correct prec emax _ _ m x y z Fx Fy Fz). unfold delivers. cbv zeta.
  case Rlt_bool_spec; intros O; [|easy]. intros (V & F & _). now split.
Qed.

(** Overflow gives the infinity or the largest value of its sign. *)
Lemma overflow_gives : forall m s (r : datum), B2SF r = binary_overflow prec emax m s ->
  r = B754_infinity s \/
  (is_finite r = true /\ B2R r = (if s then -1 else 1) * (pow2 emax - pow2 (emax - prec))).
Proof.
  intros m s r. unfold binary_overflow. destruct (overflow_to_inf m s); intros E.
  - left. destruct r; try discriminate. simpl in E. congruence.
  - right. split; [now destruct r|]. rewrite <- SF2R_B2SF, E.
    assert (P := prec_at_least_1). assert (Q : (1 < 2 ^ prec)%Z) by (apply (Zpower_gt_1 radix2); lia).
    assert (S : F2R (Float radix2 (2 ^ prec - 1) (emax - prec)) = pow2 emax - pow2 (emax - prec)).
    { unfold F2R, Fnum, Fexp. rewrite minus_IZR, (IZR_Zpower radix2) by lia.
      rewrite Rmult_minus_distr_r, <- bpow_plus, Rmult_1_l. do 2 f_equal. lia. }
    unfold SF2R. rewrite F2R_cond_Zopp, Z2Pos.id, S by lia. destruct s; simpl; ring.
Qed.

(** R1 from above, overflow included. *)
Lemma delivers_at_most : forall m v t r, value v -> t <= v -> delivers m t r -> at_most v r.
Proof.
  intros m v t r V L. unfold delivers.
  assert (U : round radix2 fexp (round_mode m) t <= v).
  { apply round_le_generic; auto with typeclass_instances. apply V. }
  case Rlt_bool_spec; intros O.
  - intros [F E]. right. rewrite E. now split.
  - intros E. assert (N : t < 0).
    { destruct (Rle_lt_dec 0 t) as [P|N]; [exfalso|exact N].
      rewrite Rabs_pos_eq in O.
      - destruct V as [_ B]. apply Rabs_lt_inv in B. lra.
      - apply round_ge_generic; auto with typeclass_instances. apply generic_format_0. }
    rewrite Rlt_bool_true in E by exact N. apply overflow_gives in E.
    destruct E as [-> | [F E]]; [now left|right]. split; [exact F|]. rewrite E.
    generalize (Rabs_le_inv _ _ (value_abs v V)). lra.
Qed.

(** R1 from below, overflow included. *)
Lemma delivers_at_least : forall m v t r, value v -> v <= t -> delivers m t r -> at_least v r.
Proof.
  intros m v t r V L. unfold delivers.
  assert (U : v <= round radix2 fexp (round_mode m) t).
  { apply round_ge_generic; auto with typeclass_instances. apply V. }
  case Rlt_bool_spec; intros O.
  - intros [F E]. right. rewrite E. now split.
  - intros E. assert (N : 0 <= t).
    { destruct (Rle_lt_dec 0 t) as [P|N]; [exact P|exfalso].
      rewrite Rabs_left1 in O.
      - destruct V as [_ B]. apply Rabs_lt_inv in B. lra.
      - apply round_le_generic; auto with typeclass_instances; [apply generic_format_0|lra]. }
    rewrite Rlt_bool_false in E by exact N. apply overflow_gives in E.
    destruct E as [-> | [F E]]; [now left|right]. split; [exact F|]. rewrite E.
    generalize (Rabs_le_inv _ _ (value_abs v V)). lra.
Qed.

(** What is a value is not rounded. *)
Lemma delivers_exactly : forall m v r, value v -> delivers m v r -> exactly v r.
Proof.
  intros m v r [F B]. unfold delivers. rewrite round_generic by (auto with typeclass_instances).
  rewrite Rlt_bool_true by exact B. easy.
Qed.

(** ** One operation *)

(** Of a product that is not rounded yet; a negative weight times plus infinity is minus infinity. *)
Definition product_at_most (v : R) (w x : datum) : Prop :=
  is_finite w = true /\
  ((is_finite x = true /\ B2R w * B2R x <= v) \/ (B2R w < 0 /\ x = B754_infinity false)).

Definition product_at_least (v : R) (w x : datum) : Prop :=
  is_finite w = true /\ is_finite x = true /\ v <= B2R w * B2R x.

Definition product_exactly (v : R) (w x : datum) : Prop :=
  is_finite w = true /\ is_finite x = true /\ B2R w * B2R x = v.

(** A finite datum below zero has a sign, and a significand. *)
Lemma negative_datum : forall w : datum, is_finite w = true -> B2R w < 0 ->
  exists m e H, w = B754_finite true m e H.
Proof.
  intros w F N. generalize (sign_of_value w). destruct w as [s | s | | [|] m e H]; simpl in *; try easy; try lra.
  intros _. now exists m, e, H.
Qed.

Lemma mult_at_most : forall m v w x, value v -> product_at_most v w x -> at_most v (Bmult m w x).
Proof.
  intros m v w x V (Fw & [(Fx & L) | (N & ->)]).
  - eapply delivers_at_most; [exact V|exact L|now apply mult_delivers].
  - left. destruct (negative_datum w Fw N) as (mw & ew & H & ->). easy.
Qed.

Lemma plus_at_most : forall m u v r x y, value r -> u + v <= r -> at_most u x -> at_most v y ->
  at_most r (Bplus m x y).
Proof.
  intros m u v r x y V L [-> | [Fx Bx]] [-> | [Fy By]]; try (now left).
  - left. now destruct y.
  - left. now destruct x.
  - eapply delivers_at_most; [exact V| |now apply plus_delivers]. lra.
Qed.

Lemma fma_at_most : forall m u v r w x z, value r -> u + v <= r -> product_at_most u w x -> at_most v z ->
  at_most r (Bfma m w x z).
Proof.
  intros m u v r w x z V L (Fw & [(Fx & B) | (N & ->)]) Hz.
  - destruct Hz as [-> | [Fz Bz]].
    + left. destruct w, x; easy.
    + eapply delivers_at_most; [exact V| |now apply fma_delivers]. lra.
  - left. destruct (negative_datum w Fw N) as (mw & ew & H & ->).
    destruct Hz as [-> | [Fz Bz]]; [easy|]. now destruct z.
Qed.

Lemma mult_at_least : forall m v w x, value v -> product_at_least v w x -> at_least v (Bmult m w x).
Proof.
  intros m v w x V (Fw & Fx & L). eapply delivers_at_least; [exact V|exact L|now apply mult_delivers].
Qed.

Lemma plus_at_least : forall m u v r x y, value r -> r <= u + v -> at_least u x -> at_least v y ->
  at_least r (Bplus m x y).
Proof.
  intros m u v r x y V L [-> | [Fx Bx]] [-> | [Fy By]]; try (now left).
  - left. now destruct y.
  - left. now destruct x.
  - eapply delivers_at_least; [exact V| |now apply plus_delivers]. lra.
Qed.

Lemma fma_at_least : forall m u v r w x z, value r -> r <= u + v -> product_at_least u w x -> at_least v z ->
  at_least r (Bfma m w x z).
Proof.
  intros m u v r w x z V L (Fw & Fx & B) [-> | [Fz Bz]].
  - left. destruct w, x; easy.
  - eapply delivers_at_least; [exact V| |now apply fma_delivers]. lra.
Qed.

Lemma mult_exactly : forall m v w x, value v -> product_exactly v w x -> exactly v (Bmult m w x).
Proof.
  intros m v w x V (Fw & Fx & <-). apply (delivers_exactly m); [exact V|now apply mult_delivers].
Qed.

Lemma plus_exactly : forall m u v r x y, value r -> u + v = r -> exactly u x -> exactly v y ->
  exactly r (Bplus m x y).
Proof.
  intros m u v r x y V <- [Fx <-] [Fy <-]. apply (delivers_exactly m); [exact V|now apply plus_delivers].
Qed.

Lemma fma_exactly : forall m u v r w x z, value r -> u + v = r -> product_exactly u w x -> exactly v z ->
  exactly r (Bfma m w x z).
Proof.
  intros m u v r w x z V <- (Fw & Fx & <-) [Fz <-].
  apply (delivers_exactly m); [exact V|now apply fma_delivers].
Qed.

End Overflow.

Arguments at_most {prec emax} v x.
Arguments at_least {prec emax} v x.
Arguments exactly {prec emax} v x.
Arguments product_at_most {prec emax} v w x.
Arguments product_at_least {prec emax} v w x.
Arguments product_exactly {prec emax} v w x.
