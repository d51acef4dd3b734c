(** * What goes wrong at zero

    Two ways to do without subnormals, and what each costs. With unbounded exponents zero has no neighbour, so
    no unit with fixed weights tells it from all that is below. With flush to zero the distance of neighbours
    need not be a value; it may be rounded to 0, and a unit cannot tell the neighbours from each other. *)

From Coq Require Import ZArith Reals Lra Lia.
From Flocq Require Import Core FTZ.
From Roundproof Require Import Arithmetic Rounding Trees Network Formats.

Open Scope R_scope.

(** ** Unbounded exponents *)

Lemma FLX_power : forall prec Hprec e, value (FLX_arithmetic prec Hprec) (pow2 e).
Proof.
  intros prec Hprec e. rewrite <- (Rmult_1_l (pow2 e)).
  apply (FLX_value prec Hprec 1 e). apply (sign_significand 1 prec Hprec).
Qed.

(** Zero has no neighbour, on neither side. *)
Theorem FLX_nothing_before_zero : forall prec Hprec p, ~ adjacent (FLX_arithmetic prec Hprec) p 0.
Proof.
  intros prec Hprec p (Vp & _ & Hp & H).
  destruct (values_near_zero (FLX_exp prec) (FLX_negligible prec Hprec) (- p)) as (z & Vz & Hz); [ lra | ].
  destruct (H (- z)); [ now apply value_opp | lra | lra ].
Qed.

Theorem FLX_nothing_after_zero : forall prec Hprec q, ~ adjacent (FLX_arithmetic prec Hprec) 0 q.
Proof.
  intros prec Hprec q H. apply adjacent_opp in H. rewrite Ropp_0 in H.
  now apply FLX_nothing_before_zero in H.
Qed.

(** So no ReLU unit with the threshold 0 meets its side condition. *)
Corollary FLX_no_unit_at_zero : forall prec Hprec c j up k p,
  ~ relu_unit (FLX_arithmetic prec Hprec) c j up k p 0.
Proof. intros prec Hprec c j up k p (_ & H & _). now apply FLX_nothing_before_zero in H. Qed.

(** That is no weakness of the condition. A unit with the weight [K] and the threshold 0, read by boxes with
    the weight [W]: below zero there is a value at which the penalty, [W K (0 - x)], does not reach 1. Copies
    of the unit do not help: [n] of them are a unit with the weight [n K]. *)
Theorem zero_has_no_gadget : forall prec Hprec K W, 0 < K -> 0 < W ->
  exists x, value (FLX_arithmetic prec Hprec) x /\ x < 0 /\ W * (K * (0 - x)) < 1.
Proof.
  intros prec Hprec K W HK HW. assert (HKW : 0 < W * K) by now apply Rmult_lt_0_compat.
  destruct (values_near_zero (FLX_exp prec) (FLX_negligible prec Hprec) (/ (W * K))) as (z & Vz & Hz & Hlt).
  { now apply Rinv_0_lt_compat. }
  exists (- z). split; [ now apply value_opp | split; [ lra | ] ].
  replace (W * (K * (0 - - z))) with (W * K * z) by ring.
  apply Rlt_le_trans with (W * K * / (W * K)); [ now apply Rmult_lt_compat_l | ].
  rewrite Rinv_r; lra.
Qed.

(** Nor does rounding help, however it goes, and contracted or not: at some value below zero, a box that
    should be indicated by 0 gives at least 1/2. *)
Theorem zero_has_no_gadget_rounded : forall prec Hprec K W, 0 < K -> 0 < W ->
  exists x, value (FLX_arithmetic prec Hprec) x /\ x < 0 /\
  forall u, rounds (FLX_arithmetic prec Hprec) (K * (0 - x)) u ->
    (forall p h, rounds (FLX_arithmetic prec Hprec) (W * u) p ->
                 rounds (FLX_arithmetic prec Hprec) (1 - p) h -> /2 <= h) /\
    (forall h, rounds (FLX_arithmetic prec Hprec) (1 - W * u) h -> /2 <= h).
Proof.
  intros prec Hprec K W HK HW. set (A := FLX_arithmetic prec Hprec).
  set (k := mag radix2 K : Z). set (w := mag radix2 W : Z).
  assert (HKk : K <= pow2 k) by (rewrite <- (Rabs_pos_eq K) by lra; apply Rlt_le, bpow_mag_gt).
  assert (HWw : W <= pow2 w) by (rewrite <- (Rabs_pos_eq W) by lra; apply Rlt_le, bpow_mag_gt).
  assert (Hhalf : value A (/2)) by exact (FLX_power prec Hprec (- 1)).
  exists (- pow2 (- 1 - w - k)).
  split; [ apply value_opp, FLX_power | split ].
  { pose proof (bpow_gt_0 radix2 (- 1 - w - k)). lra. }
  intros u Hu. rewrite Rminus_0_l, Ropp_involutive in Hu.
  assert (Hu1 : u <= pow2 (- 1 - w)).
  { apply (rounds_up_to A _ _ _ (FLX_power prec Hprec _) Hu).
    apply Rle_trans with (pow2 k * pow2 (- 1 - w - k)).
    2: { rewrite <- bpow_plus. replace (k + (- 1 - w - k))%Z with (- 1 - w)%Z by lia. apply Rle_refl. }
    apply Rmult_le_compat_r; [ apply bpow_ge_0 | exact HKk ]. }
  assert (HWu : W * u <= /2).
  { apply Rle_trans with (W * pow2 (- 1 - w)).
    - apply Rmult_le_compat_l; lra.
    - apply Rle_trans with (pow2 w * pow2 (- 1 - w)).
      + apply Rmult_le_compat_r; [ apply bpow_ge_0 | exact HWw ].
      + rewrite <- bpow_plus. replace (w + (- 1 - w))%Z with (- 1)%Z by lia. apply Rle_refl. }
  split.
  - intros p h Hp Hh. assert (p <= /2) by now apply (rounds_up_to A (/2) (W * u) p).
    apply (rounds_down_to A (/2) (1 - p) h); [ exact Hhalf | exact Hh | lra ].
  - intros h Hh. apply (rounds_down_to A (/2) (1 - W * u) h); [ exact Hhalf | exact Hh | lra ].
Qed.

(** ** Flush to zero *)

Section Flush.

Variable emin prec : Z.
Hypothesis several_bits : (1 < prec)%Z.

#[local] Instance prec_positive : Prec_gt_0 prec.
Proof. unfold Prec_gt_0. lia. Qed.

Notation fexp := (FTZ_exp emin prec).
#[local] Instance fexp_valid : Valid_exp fexp := FTZ_exp_valid emin prec.

Notation format := (generic_format radix2 fexp).

(** The least positive value, and the next one. *)
Definition FTZ_least : R := pow2 (emin + prec - 1).
Definition FTZ_next : R := FTZ_least + pow2 emin.

Lemma fexp_least : fexp (emin + prec) = emin.
Proof. unfold FTZ_exp. rewrite Zlt_bool_false; lia. Qed.

Lemma fexp_flushed : forall e, (e < emin + prec)%Z -> fexp e = (emin + prec - 1)%Z.
Proof. intros e He. unfold FTZ_exp. rewrite Zlt_bool_true; lia. Qed.

Lemma format_least : format FTZ_least.
Proof.
  apply generic_format_bpow. replace (emin + prec - 1 + 1)%Z with (emin + prec)%Z by lia.
  rewrite fexp_least. lia.
Qed.

Lemma next_is_succ : FTZ_next = succ radix2 fexp FTZ_least.
Proof.
  unfold FTZ_next. rewrite succ_eq_pos by apply bpow_ge_0. f_equal.
  unfold FTZ_least. rewrite ulp_bpow.
  replace (emin + prec - 1 + 1)%Z with (emin + prec)%Z by lia. now rewrite fexp_least.
Qed.

Lemma format_next : format FTZ_next.
Proof. rewrite next_is_succ. apply generic_format_succ; [ exact fexp_valid | exact format_least ]. Qed.

Lemma least_before_next : FTZ_least < FTZ_next.
Proof. unfold FTZ_next. pose proof (bpow_gt_0 radix2 emin). lra. Qed.

Lemma nothing_between : forall z, format z -> z <= FTZ_least \/ FTZ_next <= z.
Proof.
  intros z Fz. rewrite next_is_succ.
  apply nothing_before_succ; [ exact fexp_valid | exact format_least | exact Fz ].
Qed.

Lemma distance : FTZ_next - FTZ_least = pow2 emin.
Proof. unfold FTZ_next. ring. Qed.

Lemma distance_is_small : pow2 emin < pow2 (emin + prec - 1).
Proof. apply bpow_lt. lia. Qed.

(** Rounded down, the distance is 0. *)
Lemma distance_down : round radix2 fexp Zfloor (FTZ_next - FTZ_least) = 0.
Proof.
  rewrite distance. apply (round_DN_small_pos radix2 fexp _ (emin + 1)).
  - replace (emin + 1 - 1)%Z with emin by lia. split; [ apply Rle_refl | apply bpow_lt; lia ].
  - rewrite fexp_flushed; lia.
Qed.

Lemma distance_vanishes : neighbour fexp (FTZ_next - FTZ_least) 0.
Proof. left. symmetry. exact distance_down. Qed.

Lemma opposite_distance_vanishes : neighbour fexp (FTZ_least - FTZ_next) 0.
Proof.
  replace (FTZ_least - FTZ_next) with (- (FTZ_next - FTZ_least)) by ring. rewrite <- Ropp_0.
  apply neighbour_opp, distance_vanishes.
Qed.

(** The gap fact is false: neighbouring values, as close to zero as they get, whose distance may become 0. *)
Theorem flush_breaks_the_gap : exists x a,
  format x /\ format a /\ x < a /\ (forall z, format z -> z <= x \/ a <= z) /\ neighbour fexp (a - x) 0.
Proof.
  exists FTZ_least, FTZ_next. exact (conj format_least (conj format_next (conj least_before_next
    (conj nothing_between distance_vanishes)))).
Qed.

(** A Step unit cannot tell [x] from [a]: with the threshold [x] it may still fire at [a], which lies beyond.
    *)
Theorem flush_deceives_step : exists x a r,
  format x /\ format a /\ x < a /\ neighbour fexp (x - a) r /\ activate Step r = 1.
Proof.
  exists FTZ_least, FTZ_next, 0. refine (conj format_least (conj format_next (conj least_before_next
    (conj opposite_distance_vanishes _)))).
  unfold activate. destruct (Rle_dec 0 0); [ reflexivity | lra ].
Qed.

(** A ReLU unit with the threshold [a] may be silent before it, at [x]. *)
Theorem flush_deceives_relu : exists x a r,
  format x /\ format a /\ x < a /\ neighbour fexp (a - x) r /\ activate Relu r = 0.
Proof.
  exists FTZ_least, FTZ_next, 0. refine (conj format_least (conj format_next (conj least_before_next
    (conj distance_vanishes _)))).
  unfold activate. apply Rmax_left, Rle_refl.
Qed.

(** That is not for lack of a better direction: flushing, after whichever rounding to the precision, always
    does it, *)
Theorem flush_always : forall rnd {Hrnd : Valid_rnd rnd},
  round radix2 fexp (Zrnd_FTZ rnd) (FTZ_next - FTZ_least) = 0.
Proof.
  intros rnd Hrnd. rewrite distance. apply round_FTZ_small; [ exact Hrnd | ].
  rewrite Rabs_pos_eq by apply bpow_ge_0. apply distance_is_small.
Qed.

(** and so does rounding to the nearest value, with ties resolved in any way, if the precision is more than 2.
    *)
Theorem flush_to_nearest : (2 < prec)%Z -> forall choice,
  round radix2 fexp (Znearest choice) (FTZ_next - FTZ_least) = 0.
Proof.
  intros H choice. rewrite distance. apply (round_N_small_pos radix2 fexp choice _ (emin + 1)).
  - replace (emin + 1 - 1)%Z with emin by lia. split; [ apply Rle_refl | apply bpow_lt; lia ].
  - rewrite fexp_flushed; lia.
Qed.

(** The axioms of [arithmetic] keep such formats out: no relation makes one of them an [arithmetic]. *)
Theorem flush_is_no_arithmetic : ~ exists A : arithmetic, forall v, value A v <-> format v.
Proof.
  intros [A HA].
  assert (H : value A (FTZ_next - FTZ_least)).
  { apply value_gap; [ apply HA, format_least | apply HA, format_next | apply least_before_next | ].
    intros z Vz. now apply nothing_between, HA. }
  apply HA in H. rewrite distance in H. apply generic_format_bpow_inv' in H.
  rewrite fexp_flushed in H; lia.
Qed.

(** The gap is all that fails. Flushing obeys R1 (by [neighbour_sandwich]), and the other axioms hold as well:
    *)

Lemma format_flushed : forall x,
  format x <-> x = 0 \/ FTZ_least <= Rabs x /\ generic_format radix2 (FLX_exp prec) x.
Proof.
  intros x. split.
  - intros Fx. destruct (Req_dec x 0) as [Hx | Hx]; [ now left | right ].
    destruct (FTZ_format_generic radix2 emin prec x Fx) as [[m e] Hm Hnormal He].
    cbn [Fnum Fexp] in *. specialize (Hnormal Hx). split.
    + rewrite Hm, <- F2R_Zabs. unfold FTZ_least.
      replace (emin + prec - 1)%Z with (prec - 1 + emin)%Z by lia. unfold F2R; cbn [Fnum Fexp].
      rewrite bpow_plus. apply Rmult_le_compat; try apply bpow_ge_0.
      * rewrite <- IZR_Zpower by lia. now apply IZR_le.
      * now apply bpow_le.
    + apply generic_format_FLX. now exists (Float radix2 m e).
  - intros [-> | [Hl Fx]]; [ apply generic_format_0 | ].
    apply generic_format_FTZ, FTZ_format_FLXN; [ exact prec_positive | exact Hl | ].
    apply FLXN_format_generic; [ exact prec_positive | exact Fx ].
Qed.

Theorem flush_scale : forall k x, (0 <= k)%Z -> format x -> format (pow2 k * x).
Proof.
  intros k x Hk Fx. apply format_flushed in Fx. apply format_flushed.
  destruct Fx as [-> | [Hl Fx]]; [ left; ring | right; split ].
  - rewrite Rabs_mult, (Rabs_pos_eq (pow2 k)) by apply bpow_ge_0.
    rewrite <- (Rmult_1_l FTZ_least). apply Rmult_le_compat; [ lra | apply bpow_ge_0 | | exact Hl ].
    now apply (bpow_le radix2 0).
  - now apply (value_scale (FLX_arithmetic prec prec_positive)).
Qed.

Theorem flush_grid : forall m e, format (pow2 e) -> (Z.abs m <= 2 ^ prec)%Z -> format (IZR m * pow2 e).
Proof.
  intros m e Fe Hm. apply format_flushed in Fe. apply format_flushed.
  destruct Fe as [He | [Hl Fe]]; [ now pose proof (bpow_gt_0 radix2 e); lra | ].
  destruct (Z.eq_dec m 0) as [-> | Hm0]; [ left; ring | right; split ].
  - rewrite Rabs_mult, <- (Rmult_1_l FTZ_least).
    apply Rmult_le_compat; [ lra | apply bpow_ge_0 | | exact Hl ].
    rewrite <- abs_IZR. apply (IZR_le 1). lia.
  - now apply (value_grid (FLX_arithmetic prec prec_positive)).
Qed.

Theorem flush_one : (emin + prec - 1 <= 0)%Z -> format 1.
Proof.
  intros H. apply format_flushed. right. split.
  - rewrite Rabs_R1. now apply (bpow_le radix2 _ 0).
  - apply (value_1 (FLX_arithmetic prec prec_positive)).
Qed.

End Flush.

(** With one bit there are no subnormals to flush: the two formats are the same. *)
Lemma flush_of_one_bit : forall emin e, FTZ_exp emin 1 e = FLT_exp emin 1 e.
Proof.
  intros emin e. unfold FTZ_exp, FLT_exp. destruct (Zlt_bool_spec (e - 1) emin); lia.
Qed.
