(** * Formats as arithmetics, neighbours in them, and formats within formats

    [FLX_arithmetic] has no bound on exponents, [FLT_arithmetic] has gradual underflow; neither has a largest
    value. Both round to either neighbour. *)

From Coq Require Import ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Network.

Open Scope R_scope.

(** ** Neighbouring values in any format of Flocq *)

Section Gaps.

Variable fexp : Z -> Z.
Context {valid : Valid_exp fexp}.

Notation format := (generic_format radix2 fexp).

(** Between a value and its successor there is nothing. *)
Lemma nothing_before_succ : forall x z, format x -> format z -> z <= x \/ succ radix2 fexp x <= z.
Proof.
  intros x z Fx Fz. destruct (Rle_or_lt z x) as [H | H]; [ now left | right ].
  now apply succ_le_lt.
Qed.

(** A successor is one unit in the last place away: of the value itself, or of what is nearer to zero. *)
Lemma succ_gap : forall x, format x -> exists z, succ radix2 fexp x - x = ulp radix2 fexp z.
Proof.
  intros x Fx. destruct (Rle_or_lt 0 x) as [Hx | Hx].
  - exists x. rewrite succ_eq_pos by exact Hx. ring.
  - exists (pred_pos radix2 fexp (- x)).
    assert (H : pred_pos radix2 fexp (- x) + ulp radix2 fexp (pred_pos radix2 fexp (- x)) = - x).
    { apply pred_pos_plus_ulp; [ exact valid | lra | now apply generic_format_opp ]. }
    pose proof (succ_opp radix2 fexp (- x)) as Hs.
    assert (Hp := pred_eq_pos radix2 fexp (- x) ltac:(lra)).
    rewrite Ropp_involutive in Hs. lra.
Qed.

(** There are values between 0 and every positive real, if no exponent is negligible. *)
Lemma values_near_zero : negligible_exp fexp = None -> forall y, 0 < y -> exists z, format z /\ 0 < z < y.
Proof.
  intros Hn y Hy. destruct (negligible_exp_spec' fexp) as [[_ H] | (n & Hs & _)]; [ | congruence ].
  exists (pow2 (mag radix2 y - 2)). split; [ | split ].
  - apply generic_format_bpow. specialize (H (mag radix2 y - 2 + 1)%Z). lia.
  - apply bpow_gt_0.
  - apply Rlt_le_trans with (pow2 (mag radix2 y - 1)); [ apply bpow_lt; lia | ].
    assert (H1 := bpow_mag_le radix2 y ltac:(lra)). now rewrite Rabs_pos_eq in H1 by lra.
Qed.

(** A value is less than its successor, but for zero where no exponent is negligible. *)
Lemma succ_greater : forall x, x <> 0 \/ negligible_exp fexp <> None -> x < succ radix2 fexp x.
Proof.
  intros x Hx. destruct (Req_dec x 0) as [-> | Hn]; [ | now apply succ_gt_id ].
  rewrite succ_0. unfold ulp. rewrite Req_bool_true by reflexivity.
  destruct (negligible_exp fexp) as [n | ]; [ apply bpow_gt_0 | ].
  now destruct Hx.
Qed.

(** The distance of neighbouring values is a value, in formats where units in the last place are. *)
Lemma gap_format : Exp_not_FTZ fexp -> forall x y, format x -> format y -> x < y ->
  (forall z, format z -> z <= x \/ y <= z) -> format (y - x).
Proof.
  intros Hftz x y Fx Fy Hxy Hbetween.
  assert (Hs : x < succ radix2 fexp x).
  { apply succ_greater. destruct (Req_dec x 0) as [-> | Hx]; [ right | now left ].
    intros Hn. destruct (values_near_zero Hn y Hxy) as (z & Fz & Hz).
    destruct (Hbetween z Fz); lra. }
  assert (y = succ radix2 fexp x) as ->.
  { apply Rle_antisym; [ | now apply succ_le_lt ].
    destruct (Hbetween (succ radix2 fexp x)); [ now apply generic_format_succ | lra | assumption ]. }
  destruct (succ_gap x Fx) as [z ->]. now apply generic_format_ulp.
Qed.

End Gaps.

(** ** The instances *)

(** Values of [FLX] and [FLT] are [m * 2^e] with a significand [m] of at most [prec] bits; in [FLT], [e] is at
    least [emin]. *)
Lemma FLX_value : forall prec, (0 < prec)%Z -> forall m e, (Z.abs m < 2 ^ prec)%Z ->
  generic_format radix2 (FLX_exp prec) (IZR m * pow2 e).
Proof.
  intros prec Hprec m e Hm. apply generic_format_FLX. now exists (Float radix2 m e).
Qed.

Lemma FLT_value : forall emin prec, (0 < prec)%Z -> forall m e, (Z.abs m < 2 ^ prec)%Z -> (emin <= e)%Z ->
  generic_format radix2 (FLT_exp emin prec) (IZR m * pow2 e).
Proof.
  intros emin prec Hprec m e Hm He. apply generic_format_FLT. now exists (Float radix2 m e).
Qed.

(** A power of two is a value of [FLT] from the least positive one, [2^emin], on. *)
Lemma FLT_power : forall emin prec, (0 < prec)%Z -> forall e,
  generic_format radix2 (FLT_exp emin prec) (pow2 e) <-> (emin <= e)%Z.
Proof.
  intros emin prec Hprec e. split; intros H.
  - apply generic_format_bpow_inv in H; [ | now apply FLT_exp_valid ]. unfold FLT_exp in H. lia.
  - now apply generic_format_FLT_bpow.
Qed.

(** The integer [2^prec] has one bit too many, and is a value nevertheless: it is a power of two. *)
Lemma power_as_significand : forall m e prec, (0 < prec)%Z -> (Z.abs m = 2 ^ prec)%Z ->
  IZR m * pow2 e = IZR (Z.sgn m) * pow2 (prec + e).
Proof.
  intros m e prec Hprec Hm. rewrite bpow_plus, <- Rmult_assoc. f_equal.
  rewrite <- (IZR_Zpower radix2 prec) by lia. change (Zpower radix2 prec) with (2 ^ prec)%Z.
  rewrite <- Hm, <- mult_IZR. f_equal. lia.
Qed.

Lemma sign_significand : forall m prec, (0 < prec)%Z -> (Z.abs (Z.sgn m) < 2 ^ prec)%Z.
Proof. intros m prec Hprec. pose proof (Z.pow_gt_1 2 prec ltac:(lia)). lia. Qed.

(** Precision [prec], exponents without bounds: the [F(p)] of the literature. *)
Definition FLX_arithmetic (prec : Z) (Hprec : (0 < prec)%Z) : arithmetic.
Proof.
  assert (positive : Prec_gt_0 prec) by exact Hprec.
  assert (valid : Valid_exp (FLX_exp prec)) by now apply FLX_exp_valid.
  refine {| value := generic_format radix2 (FLX_exp prec);
            rounds := neighbour (FLX_exp prec);
            precision := prec; precision_positive := Hprec |}.
  - apply generic_format_0.
  - now apply generic_format_FLX_1.
  - intros x. apply generic_format_opp.
  - now apply neighbour_down_to.
  - now apply neighbour_up_to.
  - now apply neighbour_format.
  - now apply neighbour_total.
  - now apply gap_format; [ | apply monotone_exp_not_FTZ, FLX_exp_monotone ].
  - intros k x _ Fx. destruct (FLX_format_generic radix2 prec x Fx) as [[m e] -> Hm].
    unfold F2R; cbn [Fnum Fexp] in *.
    replace (pow2 k * (IZR m * pow2 e)) with (IZR m * pow2 (k + e)) by (rewrite bpow_plus; ring).
    now apply FLX_value.
  - intros m e _ Hm. destruct (Z.eq_dec (Z.abs m) (2 ^ prec)) as [H | H].
    + rewrite (power_as_significand m e prec Hprec H). apply FLX_value; [ exact Hprec | ].
      now apply sign_significand.
    + apply FLX_value; [ exact Hprec | lia ].
Defined.

(** Precision [prec], least positive value [2^emin], gradual underflow. 1 has to be a value, which takes
    [emin <= 0]; that is the only side condition. *)
Definition FLT_arithmetic (emin prec : Z) (Hprec : (0 < prec)%Z) (Hemin : (emin <= 0)%Z) : arithmetic.
Proof.
  assert (positive : Prec_gt_0 prec) by exact Hprec.
  assert (valid : Valid_exp (FLT_exp emin prec)) by now apply FLT_exp_valid.
  refine {| value := generic_format radix2 (FLT_exp emin prec);
            rounds := neighbour (FLT_exp emin prec);
            precision := prec; precision_positive := Hprec |}.
  - apply generic_format_0.
  - now apply generic_format_FLT_1.
  - intros x. apply generic_format_opp.
  - now apply neighbour_down_to.
  - now apply neighbour_up_to.
  - now apply neighbour_format.
  - now apply neighbour_total.
  - now apply gap_format; [ | apply monotone_exp_not_FTZ, FLT_exp_monotone ].
  - intros k x Hk Fx. destruct (FLT_format_generic radix2 emin prec x Fx) as [[m e] -> Hm He].
    unfold F2R; cbn [Fnum Fexp] in *.
    replace (pow2 k * (IZR m * pow2 e)) with (IZR m * pow2 (k + e)) by (rewrite bpow_plus; ring).
    apply FLT_value; [ exact Hprec | exact Hm | lia ].
  - intros m e Fe Hm. apply FLT_power in Fe; [ | exact Hprec ].
    destruct (Z.eq_dec (Z.abs m) (2 ^ prec)) as [H | H].
    + rewrite (power_as_significand m e prec Hprec H).
      apply FLT_value; [ exact Hprec | now apply sign_significand | lia ].
    + apply FLT_value; [ exact Hprec | lia | exact Fe ].
Defined.

(** The condition on [emin] cannot be spared. *)
Lemma FLT_one : forall emin prec, (0 < prec)%Z ->
  generic_format radix2 (FLT_exp emin prec) 1 <-> (emin <= 0)%Z.
Proof. intros emin prec Hprec. exact (FLT_power emin prec Hprec 0). Qed.

(** In both, the negative of what a real may become is what its negative may become. It is no axiom of
    [arithmetic], so that a single directed rounding is one, too ([FLT_directed]). *)
Lemma FLX_rounds_opp : forall prec Hprec t r,
  rounds (FLX_arithmetic prec Hprec) t r -> rounds (FLX_arithmetic prec Hprec) (- t) (- r).
Proof. intros prec Hprec t r. apply neighbour_opp. Qed.

Lemma FLT_rounds_opp : forall emin prec Hprec Hemin t r,
  rounds (FLT_arithmetic emin prec Hprec Hemin) t r ->
  rounds (FLT_arithmetic emin prec Hprec Hemin) (- t) (- r).
Proof. intros emin prec Hprec Hemin t r. apply neighbour_opp. Qed.

(** A single rounding function makes an arithmetic of the format, too. *)
Definition FLT_directed (emin prec : Z) (Hprec : (0 < prec)%Z) (Hemin : (emin <= 0)%Z)
  (rnd : R -> Z) (Hrnd : Valid_rnd rnd) : arithmetic :=
  restricted (FLT_arithmetic emin prec Hprec Hemin) (fun t r => r = round radix2 (FLT_exp emin prec) rnd t)
    (fun t r H => eq_ind_r (neighbour (FLT_exp emin prec) t) (neighbour_round (FLT_exp emin prec) rnd t) H)
    (fun t => ex_intro _ _ eq_refl).

(** ** Formats within others, as a format is within its accumulator *)

Lemma within_refl : forall A, within A A.
Proof. now intros A v. Qed.

Lemma within_trans : forall A B C, within A B -> within B C -> within A C.
Proof. intros A B C HAB HBC v Hv. now apply HBC, HAB. Qed.

Lemma FLX_within_FLX : forall p1 p2 H1 H2, (p1 <= p2)%Z ->
  within (FLX_arithmetic p1 H1) (FLX_arithmetic p2 H2).
Proof.
  intros p1 p2 H1 H2 Hp v. apply generic_inclusion_mag. intros _. unfold FLX_exp. lia.
Qed.

Lemma FLT_within_FLT : forall e1 p1 H1 K1 e2 p2 H2 K2, (p1 <= p2)%Z -> (e2 <= e1)%Z ->
  within (FLT_arithmetic e1 p1 H1 K1) (FLT_arithmetic e2 p2 H2 K2).
Proof.
  intros e1 p1 H1 K1 e2 p2 H2 K2 Hp He v. apply generic_inclusion_mag. intros _. unfold FLT_exp. lia.
Qed.

Lemma FLT_within_FLX : forall e1 p1 H1 K1 p2 H2, (p1 <= p2)%Z ->
  within (FLT_arithmetic e1 p1 H1 K1) (FLX_arithmetic p2 H2).
Proof.
  intros e1 p1 H1 K1 p2 H2 Hp v. apply generic_inclusion_mag. intros _. unfold FLT_exp, FLX_exp. lia.
Qed.


(** For [FLT] within [FLT] these conditions are needed, too: the least positive value says so of the
    exponents, and the largest significand of the precisions. *)
Lemma FLT_within_FLT_inv : forall e1 p1 H1 K1 e2 p2 H2 K2,
  within (FLT_arithmetic e1 p1 H1 K1) (FLT_arithmetic e2 p2 H2 K2) -> (p1 <= p2)%Z /\ (e2 <= e1)%Z.
Proof.
  intros e1 p1 H1 K1 e2 p2 H2 K2 Hwithin. split.
  - assert (Hlarge := Hwithin _ (FLT_value e1 p1 H1 (2 ^ p1 - 1) e1 ltac:(lia) ltac:(lia))).
    destruct (@FLT_format_generic radix2 e2 p2 H2 _ Hlarge) as [[m e] Hm Hlt _].
    unfold F2R in Hm; cbn [Fnum Fexp] in *.
    destruct (Z_lt_le_dec e1 e) as [He | He].
    + (* an even number in units of [2^e1] *)
      exfalso. replace (pow2 e) with (pow2 (Z.succ (e - e1 - 1) + e1)) in Hm by (f_equal; lia).
      rewrite bpow_plus, <- Rmult_assoc in Hm.
      rewrite <- (IZR_Zpower radix2 (Z.succ (e - e1 - 1))), <- mult_IZR in Hm by lia.
      apply Rmult_eq_reg_r, eq_IZR in Hm; [ | apply Rgt_not_eq, bpow_gt_0 ].
      replace (Zpower radix2 (Z.succ (e - e1 - 1))) with (2 * 2 ^ (e - e1 - 1))%Z in Hm
        by (rewrite <- Z.pow_succ_r by lia; reflexivity).
      replace p1 with (Z.succ (p1 - 1)) in Hm by lia. rewrite Z.pow_succ_r in Hm by lia. lia.
    + replace (pow2 e1) with (pow2 (e1 - e + e)) in Hm by (f_equal; lia).
      rewrite bpow_plus, <- Rmult_assoc, <- (IZR_Zpower radix2 (e1 - e)), <- mult_IZR in Hm by lia.
      apply Rmult_eq_reg_r, eq_IZR in Hm; [ | apply Rgt_not_eq, bpow_gt_0 ].
      change (Zpower radix2 (e1 - e)) with (2 ^ (e1 - e))%Z in Hm.
      destruct (Z_le_gt_dec p1 p2) as [Hp | Hp]; [ exact Hp | exfalso ].
      assert (2 ^ p2 < 2 ^ p1)%Z by (apply Z.pow_lt_mono_r; lia).
      assert (0 < 2 ^ (e1 - e))%Z by (apply Z.pow_pos_nonneg; lia).
      change (Zpower radix2 p2) with (2 ^ p2)%Z in Hlt. nia.
  - apply (FLT_power e2 p2 H2). apply Hwithin. now apply FLT_power; [ | apply Z.le_refl ].
Qed.

(** Formats by name, without their largest values: what [Overflow] adds. *)
Definition binary16_arithmetic : arithmetic := FLT_arithmetic (- 24) 11 eq_refl ltac:(lia).
Definition bfloat16_arithmetic : arithmetic := FLT_arithmetic (- 133) 8 eq_refl ltac:(lia).
Definition binary32_arithmetic : arithmetic := FLT_arithmetic (- 149) 24 eq_refl ltac:(lia).
Definition binary64_arithmetic : arithmetic := FLT_arithmetic (- 1074) 53 eq_refl ltac:(lia).

(** Both formats of 16 bits are within the one of 32 bits, which is within the one of 64; they are not within
    each other. *)
Lemma accumulators :
  within binary16_arithmetic binary32_arithmetic /\
  within bfloat16_arithmetic binary32_arithmetic /\
  within binary32_arithmetic binary64_arithmetic /\
  ~ within binary16_arithmetic bfloat16_arithmetic /\
  ~ within bfloat16_arithmetic binary16_arithmetic.
Proof.
  repeat split; try (apply FLT_within_FLT; lia); intros H; apply FLT_within_FLT_inv in H; lia.
Qed.

(** ** Neighbours of values

    With gradual underflow every value has a neighbour on either side; with unbounded exponents all values
    have but zero. *)

Lemma FLT_negligible : forall emin prec, (0 < prec)%Z -> negligible_exp (FLT_exp emin prec) <> None.
Proof.
  intros emin prec Hprec. destruct (@negligible_exp_FLT emin prec Hprec) as (n & -> & _). discriminate.
Qed.

Lemma FLX_negligible : forall prec, (0 < prec)%Z -> negligible_exp (FLX_exp prec) = None.
Proof. intros prec Hprec. now apply negligible_exp_FLX. Qed.

Theorem FLT_adjacent_succ : forall emin prec Hprec Hemin a,
  value (FLT_arithmetic emin prec Hprec Hemin) a ->
  adjacent (FLT_arithmetic emin prec Hprec Hemin) a (succ radix2 (FLT_exp emin prec) a).
Proof.
  intros emin prec Hprec Hemin a Va.
  assert (valid : Valid_exp (FLT_exp emin prec)) by now apply FLT_exp_valid.
  split; [ exact Va | split; [ now apply generic_format_succ | split ] ].
  - apply succ_greater. right. now apply FLT_negligible.
  - intros z Vz. now apply nothing_before_succ.
Qed.

Theorem FLX_adjacent_succ : forall prec Hprec a, a <> 0 ->
  value (FLX_arithmetic prec Hprec) a ->
  adjacent (FLX_arithmetic prec Hprec) a (succ radix2 (FLX_exp prec) a).
Proof.
  intros prec Hprec a Ha Va.
  assert (valid : Valid_exp (FLX_exp prec)) by now apply FLX_exp_valid.
  split; [ exact Va | split; [ now apply generic_format_succ | split ] ].
  - apply succ_greater. now left.
  - intros z Vz. now apply nothing_before_succ.
Qed.

(** Neighbours of negatives are the negatives of neighbours, in every arithmetic. *)
Lemma adjacent_opp : forall A x y, adjacent A x y -> adjacent A (- y) (- x).
Proof.
  intros A x y (Vx & Vy & Hxy & H). repeat split; try now apply value_opp.
  - lra.
  - intros z Vz. destruct (H (- z) (value_opp A z Vz)); [ right | left ]; lra.
Qed.

(** The neighbour below a value is unique. *)
Lemma adjacent_unique : forall A p q a, adjacent A p a -> adjacent A q a -> p = q.
Proof.
  intros A p q a (Vp & _ & Hp & Bp) (Vq & _ & Hq & Bq).
  destruct (Bp q Vq), (Bq p Vp); lra.
Qed.

Theorem FLT_adjacent_pred : forall emin prec Hprec Hemin a,
  value (FLT_arithmetic emin prec Hprec Hemin) a ->
  adjacent (FLT_arithmetic emin prec Hprec Hemin) (pred radix2 (FLT_exp emin prec) a) a.
Proof.
  intros emin prec Hprec Hemin a Va. rewrite <- (Ropp_involutive a) at 2. unfold pred.
  now apply adjacent_opp, FLT_adjacent_succ, value_opp.
Qed.

Theorem FLX_adjacent_pred : forall prec Hprec a, a <> 0 ->
  value (FLX_arithmetic prec Hprec) a ->
  adjacent (FLX_arithmetic prec Hprec) (pred radix2 (FLX_exp prec) a) a.
Proof.
  intros prec Hprec a Ha Va. rewrite <- (Ropp_involutive a) at 2. unfold pred.
  apply adjacent_opp, FLX_adjacent_succ; [ lra | now apply value_opp ].
Qed.

(** So the side condition of a ReLU unit can be met for every threshold with gradual underflow, and the
    neighbour is the one of Flocq. *)
Corollary FLT_adjacent_is_pred : forall emin prec Hprec Hemin p a,
  adjacent (FLT_arithmetic emin prec Hprec Hemin) p a <->
  generic_format radix2 (FLT_exp emin prec) a /\ p = pred radix2 (FLT_exp emin prec) a.
Proof.
  intros emin prec Hprec Hemin p a. split.
  - intros H. assert (Va := proj1 (proj2 H)). split; [ exact Va | ].
    apply (adjacent_unique _ _ _ a H). now apply FLT_adjacent_pred.
  - intros [Va ->]. now apply FLT_adjacent_pred.
Qed.
