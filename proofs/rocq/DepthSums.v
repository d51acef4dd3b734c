(** * What a sum is made of that no path can change

    Of a sum that gives one and the same value on every path, every part has a sum that is a value: else rounding it down
    and rounding it up would lead to two results ([agreed_sum_exact]). So its positive terms cannot be large beside its
    value: some part is an odd multiple of the finest grid that they are all on ([positive_parts_bounded]). *)

From Coq Require Import ZArith List Permutation Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums Formats.

Import ListNotations.
Open Scope R_scope.

(** ** Arithmetics that offer both neighbours

    One that rounds in a single direction may compute with two layers what others cannot, so what follows is about
    arithmetics in which a real may become what is below it, and may become what is above it. *)
Record two_sided (A : arithmetic) := {
  down : R -> R;
  up : R -> R;
  down_rounds : forall t, rounds A t (down t);
  up_rounds : forall t, rounds A t (up t);
  down_below : forall t, down t <= t;
  up_above : forall t, t <= up t;
  down_monotone : forall t u, t <= u -> down t <= down u;
  (** Values are multiples of powers of two, and odd multiples have no more than [precision] bits. *)
  value_dyadic : forall v, value A v -> exists m e, v = IZR m * pow2 e;
  value_odd : forall m e, Z.odd m = true -> value A (IZR m * pow2 e) -> (Z.abs m < 2 ^ precision A)%Z
}.

Arguments down {A}. Arguments up {A}. Arguments down_rounds {A}. Arguments up_rounds {A}.
Arguments down_below {A}. Arguments up_above {A}. Arguments down_monotone {A}.
Arguments value_dyadic {A}. Arguments value_odd {A}.

(** An odd multiple of a power of two is one of every smaller power only if its significand has as many bits more. *)
Lemma odd_significand : forall m e n f p, Z.odd m = true -> IZR m * pow2 e = IZR n * pow2 f ->
  (Z.abs n < 2 ^ p)%Z -> (Z.abs m < 2 ^ p)%Z.
Proof.
  intros m e n f p O E H. destruct (Z_lt_le_dec e f) as [L | L].
  - exfalso. replace f with (Z.succ (f - e - 1) + e)%Z in E by lia.
    rewrite bpow_plus, <- Rmult_assoc in E. apply Rmult_eq_reg_r in E; [| apply Rgt_not_eq, bpow_gt_0].
    rewrite <- (IZR_Zpower radix2) in E by lia. rewrite <- mult_IZR in E. apply eq_IZR in E. subst m.
    change (Zpower radix2 (Z.succ (f - e - 1))) with (2 ^ Z.succ (f - e - 1))%Z in O.
    rewrite Z.pow_succ_r, !Z.odd_mul in O by lia. simpl in O. now rewrite Bool.andb_false_r in O.
  - replace e with ((e - f) + f)%Z in E by lia. rewrite bpow_plus, <- Rmult_assoc in E.
    apply Rmult_eq_reg_r in E; [| apply Rgt_not_eq, bpow_gt_0].
    rewrite <- (IZR_Zpower radix2) in E by lia. rewrite <- mult_IZR in E. apply eq_IZR in E. subst n.
    change (Zpower radix2 (e - f)) with (2 ^ (e - f))%Z in H.
    assert (0 < 2 ^ (e - f))%Z by (apply Z.pow_pos_nonneg; lia). nia.
Qed.

Definition FLX_two_sided prec Hprec : two_sided (FLX_arithmetic prec Hprec).
Proof.
  assert (positive : Prec_gt_0 prec) by exact Hprec.
  assert (valid : Valid_exp (FLX_exp prec)) by now apply FLX_exp_valid.
  refine {| down := round radix2 (FLX_exp prec) Zfloor : R -> R; up := round radix2 (FLX_exp prec) Zceil |}.
  - intros t. now left.
  - intros t. now right.
  - intros t. now apply round_DN_pt.
  - intros t. now apply round_UP_pt.
  - intros t u H. now apply round_le; [| apply valid_rnd_DN |].
  - intros v H. destruct (FLX_format_generic radix2 prec v H) as [[m e] -> _]. now exists m, e.
  - intros m e O H. destruct (FLX_format_generic radix2 prec _ H) as [[n f] E L].
    now apply (odd_significand m e n f).
Defined.

Definition FLT_two_sided emin prec Hprec Hemin : two_sided (FLT_arithmetic emin prec Hprec Hemin).
Proof.
  assert (positive : Prec_gt_0 prec) by exact Hprec.
  assert (valid : Valid_exp (FLT_exp emin prec)) by now apply FLT_exp_valid.
  refine {| down := round radix2 (FLT_exp emin prec) Zfloor : R -> R; up := round radix2 (FLT_exp emin prec) Zceil |}.
  - intros t. now left.
  - intros t. now right.
  - intros t. now apply round_DN_pt.
  - intros t. now apply round_UP_pt.
  - intros t u H. now apply round_le; [| apply valid_rnd_DN |].
  - intros v H. destruct (FLT_format_generic radix2 emin prec v H) as [[m e] -> _ _]. now exists m, e.
  - intros m e O H. destruct (FLT_format_generic radix2 emin prec _ H) as [[n f] E L _].
    now apply (odd_significand m e n f).
Defined.

(** ** The lowest and the highest path through a tree *)

Definition terms_in_order (l : leaf) (ls : list leaf) : tree := fold_left (fun t l => Add t (Leaf l)) ls (Leaf l).

Section Paths.

Variable A : arithmetic.
Variable F : two_sided A.

Fixpoint lowest (t : tree) : R :=
  match t with
  | Leaf (Number v) => v
  | Leaf (Product w x) => down F (w * x)
  | Add a b => down F (lowest a + lowest b)
  end.

Fixpoint highest (t : tree) : R :=
  match t with
  | Leaf (Number v) => v
  | Leaf (Product w x) => up F (w * x)
  | Add a b => up F (highest a + highest b)
  end.

Lemma lowest_path : forall t, evaluates A t (lowest t).
Proof.
  induction t as [[v | w x] | a IHa b IHb]; simpl.
  - constructor.
  - constructor. apply down_rounds.
  - apply evaluates_add with (lowest a) (lowest b); trivial. apply down_rounds.
Qed.

Lemma highest_path : forall t, evaluates A t (highest t).
Proof.
  induction t as [[v | w x] | a IHa b IHb]; simpl.
  - constructor.
  - constructor. apply up_rounds.
  - apply evaluates_add with (highest a) (highest b); trivial. apply up_rounds.
Qed.

Lemma exacts_add : forall a b, total (exacts (Add a b)) = total (exacts a) + total (exacts b).
Proof. intros a b. unfold exacts. simpl. now rewrite map_app, total_app. Qed.

(** The exact sum is between them. *)
Lemma lowest_exact_highest : forall t, lowest t <= total (exacts t) <= highest t.
Proof.
  induction t as [[v | w x] | a IHa b IHb].
  - simpl. lra.
  - simpl. pose proof (down_below F (w * x)). pose proof (up_above F (w * x)). lra.
  - rewrite exacts_add. simpl. pose proof (down_below F (lowest a + lowest b)).
    pose proof (up_above F (highest a + highest b)). lra.
Qed.

(** Where they meet, they meet in every part of the tree, and nothing was rounded. *)
Definition settled (t : tree) : Prop := lowest t = highest t.

Lemma settled_left : forall a b, settled (Add a b) -> settled a.
Proof.
  intros a b. unfold settled. simpl. pose proof (lowest_exact_highest a). pose proof (lowest_exact_highest b).
  pose proof (down_below F (lowest a + lowest b)). pose proof (up_above F (highest a + highest b)). lra.
Qed.

Lemma settled_value : forall t, (forall v, In (Number v) (leaves t) -> value A v) -> settled t ->
  value A (total (exacts t)).
Proof.
  intros t V S. unfold settled in S. pose proof (lowest_exact_highest t).
  replace (total (exacts t)) with (lowest t) by lra. apply (evaluates_value A t); [exact V | apply lowest_path].
Qed.

Lemma settled_before : forall ls t, settled (fold_left (fun t l => Add t (Leaf l)) ls t) -> settled t.
Proof.
  induction ls as [| l ls IH]; simpl; intros t S; [exact S |]. now apply (settled_left t (Leaf l)), IH.
Qed.

(** What is added may only raise the lowest path. *)
Lemma lowest_monotone : forall ts us a b,
  Forall2 (fun t u => fst t * snd t <= fst u * snd u) ts us -> lowest a <= lowest b ->
  lowest (fold_left (fun t l => Add t (Leaf l)) (map (fun '(w, x) => Product w x) ts) a) <=
  lowest (fold_left (fun t l => Add t (Leaf l)) (map (fun '(w, x) => Product w x) us) b).
Proof.
  induction ts as [| [w x] ts IH]; intros us a b P L; inversion P as [| t [v y] ts' us' H T]; subst; simpl; [exact L |].
  apply IH; [exact T |]. simpl in *. apply down_monotone. pose proof (down_monotone F _ _ H). lra.
Qed.

End Paths.

(** ** Every part of a sum that every path agrees on is a value *)

Section Parts.

Variables A B : arithmetic.
Variable FA : two_sided A.
Variable FB : two_sided B.

Lemma agreed_leaves : forall b ts y, value B b -> (forall r, neuron A B b ts r -> r = y) ->
  forall us vs, Permutation (leaves_of b ts) (us ++ vs) ->
  value B (total (map exact us)) /\ total (map exact (us ++ vs)) = y.
Proof.
  intros b ts y Vb H.
  assert (S : forall t, Permutation (leaves t) (leaves_of b ts) -> settled B FB t /\ total (exacts t) = y).
  { intros t P. pose proof (lowest_exact_highest B FB t) as Lh. unfold settled.
    assert (L : down FA (lowest B FB t) = y).
    { apply H. exists (lowest B FB t). split; [| apply down_rounds]. exists t. split; [exact P | apply lowest_path]. }
    assert (U : up FA (highest B FB t) = y).
    { apply H. exists (highest B FB t). split; [| apply up_rounds]. exists t. split; [exact P | apply highest_path]. }
    pose proof (down_below FA (lowest B FB t)). pose proof (up_above FA (highest B FB t)). lra. }
  assert (N : forall v ls, incl ls (leaves_of b ts) -> In (Number v) ls -> value B v).
  { intros v ls I J. apply I in J. destruct J as [J | J]; [now injection J as <- |].
    apply in_map_iff in J. destruct J as ([w x] & J & _). discriminate. }
  intros [| l us] vs P.
  - destruct vs as [| l vs]; [apply Permutation_sym, Permutation_nil in P; discriminate |].
    split; [apply value_0 |]. destruct (S (terms_in_order l vs)) as [_ E].
    + unfold terms_in_order. rewrite leaves_in_order. now apply Permutation_sym.
    + unfold exacts, terms_in_order in E. rewrite leaves_in_order in E. exact E.
  - set (t := fold_left (fun t l => Add t (Leaf l)) vs (terms_in_order l us)).
    assert (Hl : leaves t = (l :: us) ++ vs).
    { unfold t, terms_in_order. now rewrite !leaves_in_order. }
    destruct (S t) as [St E]; [rewrite Hl; now apply Permutation_sym |].
    split; [| unfold exacts in E; now rewrite Hl in E].
    apply settled_before in St. apply settled_value in St.
    + unfold exacts, terms_in_order in St. rewrite leaves_in_order in St. exact St.
    + intros v. apply N. unfold terms_in_order. rewrite leaves_in_order. intros k I.
      apply (Permutation_in _ (Permutation_sym P)), in_or_app. now left.
Qed.

(** The exact terms of a sum: its bias, and its products. *)
Lemma exact_leaves : forall b ts, map exact (leaves_of b ts) = b :: products ts.
Proof.
  intros b ts. unfold leaves_of, products. simpl. f_equal. rewrite map_map. apply map_ext. now intros [w v].
Qed.

Theorem agreed_sum_exact : forall b ts y, value B b -> (forall r, neuron A B b ts r -> r = y) ->
  parts_are_values B (b :: products ts) /\ total (b :: products ts) = y.
Proof.
  intros b ts y V H. pose proof (agreed_leaves b ts y V H) as P. rewrite <- exact_leaves. split.
  - intros part rest Q. apply Permutation_map_inv in Q. destruct Q as (ls & Q & L).
    symmetry in Q. apply map_eq_app in Q. destruct Q as (l1 & l2 & -> & <- & <-). now apply (P l1 l2).
  - now apply (P [] _ (Permutation_refl _)).
Qed.

End Parts.

(** ** Positive terms beside the sum *)

Fixpoint zsum (ms : list Z) : Z := match ms with [] => 0 | m :: ms => m + zsum ms end%Z.

Lemma zsum_app : forall us vs, zsum (us ++ vs) = (zsum us + zsum vs)%Z.
Proof. induction us as [| u us IH]; intros vs; simpl; [easy |]. rewrite IH. lia. Qed.

Lemma zsum_permutation : forall us vs, Permutation us vs -> zsum us = zsum vs.
Proof. induction 1; simpl in *; lia. Qed.

Lemma zsum_double : forall us, zsum (map (Z.mul 2) us) = (2 * zsum us)%Z.
Proof. induction us as [| u us IH]; cbn [zsum map]; lia. Qed.

Lemma zsum_positive_double : forall us, zsum (map (Z.max 0) (map (Z.mul 2) us)) = (2 * zsum (map (Z.max 0) us))%Z.
Proof.
  induction us as [| u us IH]; [easy |]. cbn [zsum map]. rewrite IH.
  rewrite Z.mul_add_distr_l. f_equal. lia.
Qed.

Lemma split_by_sign : forall ms, exists ps ns, Permutation ms (ps ++ ns) /\
  zsum (map (Z.max 0) ms) = zsum ps /\ Forall (fun m => 0 < m)%Z ps /\ Forall (fun m => m <= 0)%Z ns.
Proof.
  induction ms as [| m ms (ps & ns & P & E & Hp & Hn)]; [now exists [], [] |].
  destruct (Z_lt_le_dec 0 m) as [L | L].
  - exists (m :: ps), ns. split; [now constructor |]. split; [| now split; [constructor |]].
    cbn [zsum map]. rewrite E. f_equal. lia.
  - exists ps, (m :: ns). split; [now apply Permutation_cons_app |]. split; [| now split; [| constructor]].
    cbn [zsum map]. rewrite E, Z.max_l by exact L. easy.
Qed.

Lemma odd_or_even : forall ms, (exists m, In m ms /\ Z.odd m = true) \/ exists hs, ms = map (Z.mul 2) hs.
Proof.
  induction ms as [| m ms [(o & I & O) | (hs & ->)]]; [right; now exists [] | left; exists o; now split; [right |] |].
  destruct (Z.odd m) eqn:O; [left; exists m; now split; [left |] |]. right.
  exists (Z.div2 m :: hs). pose proof (Z.div2_odd m) as D. rewrite O in D. cbn [Z.b2z] in D.
  cbn [map]. f_equal. lia.
Qed.

Section Bound.

Variable A : arithmetic.
Variable F : two_sided A.
Let p := precision A.

Definition fits (e : Z) (ms : list Z) : Prop :=
  forall us vs, Permutation ms (us ++ vs) -> value A (IZR (zsum us) * pow2 e).

Lemma bits : (0 < 2 ^ p)%Z.
Proof. pose proof (precision_positive A). apply Z.pow_pos_nonneg; unfold p; lia. Qed.

(** With an odd term: either the positive ones sum to an odd number, or that term and the rest of them, with it or without
    it, do. *)
Lemma positive_beside_odd : forall e ms o, fits e ms -> In o ms -> Z.odd o = true ->
  (Z.odd (zsum (map (Z.max 0) ms)) = true /\ zsum (map (Z.max 0) ms) <= 2 ^ p - 1 \/
   Z.even (zsum (map (Z.max 0) ms)) = true /\ zsum (map (Z.max 0) ms) <= 2 * (2 ^ p - 1) /\
   (Z.odd (zsum ms) = true -> zsum (map (Z.max 0) ms) <= 2 ^ p - 1 + zsum ms))%Z.
Proof.
  intros e ms o H I O. destruct (split_by_sign ms) as (ps & ns & P & -> & Hp & Hn).
  assert (Q : forall us vs, Permutation ms (us ++ vs) -> Z.odd (zsum us) = true -> (Z.abs (zsum us) < 2 ^ p)%Z).
  { intros us vs K J. apply (value_odd F _ e J), (H us vs K). }
  pose proof (zsum_permutation _ _ P) as E. rewrite zsum_app in E.
  destruct (Z.odd (zsum ps)) eqn:Op; [left; specialize (Q ps ns P Op); lia | right].
  assert (Ev : Z.even (zsum ps) = true) by now rewrite <- Z.negb_odd, Op.
  assert (Bo : (Z.abs o < 2 ^ p)%Z).
  { destruct (in_split _ _ I) as (l1 & l2 & ->).
    specialize (Q [o] (l1 ++ l2)). simpl in Q. rewrite Z.add_0_r in Q. apply Q; [| exact O].
    apply Permutation_sym, Permutation_middle. }
  split; [exact Ev | split].
  - apply (Permutation_in _ P), in_app_or in I. destruct I as [I | I].
    + assert (0 < o)%Z by (rewrite Forall_forall in Hp; now apply Hp).
      destruct (in_split _ _ I) as (l1 & l2 & ->). rewrite zsum_app in *. cbn [zsum] in *.
      assert (X : (Z.abs (zsum (l1 ++ l2)) < 2 ^ p)%Z).
      { apply Q with (o :: ns).
        - rewrite P. transitivity ((o :: l1 ++ l2) ++ ns); [| apply Permutation_middle].
          apply Permutation_app_tail, Permutation_sym, Permutation_middle.
        - rewrite zsum_app.  replace (zsum l1 + zsum l2)%Z with ((zsum l1 + (o + zsum l2)) - o)%Z by lia.
          now rewrite Z.odd_sub, Op, O. }
      rewrite zsum_app in X.  lia.
    + assert (o <= 0)%Z by (rewrite Forall_forall in Hn; now apply Hn).
      destruct (in_split _ _ I) as (l1 & l2 & ->).
      assert (X : (Z.abs (zsum (o :: ps)) < 2 ^ p)%Z).
      { apply Q with (l1 ++ l2).
        - rewrite P. transitivity (ps ++ o :: l1 ++ l2); [| apply Permutation_sym, Permutation_middle].
          apply Permutation_app_head, Permutation_sym, Permutation_middle.
        - simpl. now rewrite Z.odd_add, Op, O. }
      simpl in X. lia.
  - intros Os. assert (On : Z.odd (zsum ns) = true).
    { replace (zsum ns) with (zsum ms - zsum ps)%Z by lia. now rewrite Z.odd_sub, Op, Os. }
    assert (X : (Z.abs (zsum ns) < 2 ^ p)%Z).
    { apply Q with ps; [| exact On]. rewrite P. apply Permutation_app_comm. }
    lia.
Qed.

Lemma positive_integers_bounded : forall n e ms m, fits e ms -> Z.odd m = true ->
  zsum ms = (m * 2 ^ Z.of_nat n)%Z ->
  (zsum (map (Z.max 0) ms) <= (2 ^ p - 1 + Z.max m 0) * 2 ^ Z.of_nat n)%Z.
Proof.
  pose proof bits as Bp.
  induction n as [| n IH]; intros e ms m H O E; destruct (odd_or_even ms) as [(o & I & Oo) | (hs & ->)].
  - rewrite Z.mul_1_r in *. subst m.
    destruct (positive_beside_odd e ms o H I Oo) as [[_ X] | (_ & _ & X)]; [lia | specialize (X O); lia].
  - exfalso. rewrite zsum_double in E. rewrite Z.mul_1_r in E. subst m. now rewrite Z.odd_mul in O.
  - rewrite Nat2Z.inj_succ, Z.pow_succ_r in * by lia.
    assert (0 < 2 ^ Z.of_nat n)%Z by (apply Z.pow_pos_nonneg; lia).
    destruct (positive_beside_odd e ms o H I Oo) as [[_ X] | (_ & X & _)]; nia.
  - rewrite zsum_double in E. rewrite zsum_positive_double.
    rewrite Nat2Z.inj_succ, Z.pow_succ_r in * by lia.
    assert (X : (zsum (map (Z.max 0) hs) <= (2 ^ p - 1 + Z.max m 0) * 2 ^ Z.of_nat n)%Z); [| lia].
    apply (IH (e + 1)%Z); [| exact O | lia]. intros us vs P.
    specialize (H (map (Z.mul 2) us) (map (Z.mul 2) vs)). rewrite <- map_app, zsum_double in H.
    specialize (H (Permutation_map _ P)). rewrite mult_IZR in H.
    replace (IZR (zsum us) * pow2 (e + 1)) with (2 * IZR (zsum us) * pow2 e); [exact H |].
    rewrite bpow_plus. simpl (pow2 1). change (IZR (Z.pow_pos 2 1)) with 2. ring.
Qed.

(** ** The same for values *)

Definition scaled (e : Z) (ms : list Z) : list R := map (fun m => IZR m * pow2 e) ms.

Lemma finer : forall m e e', (e' <= e)%Z -> IZR m * pow2 e = IZR (m * 2 ^ (e - e')) * pow2 e'.
Proof.
  intros m e e' L. replace e with ((e - e') + e')%Z at 1 by lia. rewrite bpow_plus.
  rewrite <- (IZR_Zpower radix2), mult_IZR by lia. change (Zpower radix2 (e - e')) with (2 ^ (e - e'))%Z. ring.
Qed.

Lemma finer_all : forall ms e e', (e' <= e)%Z -> scaled e ms = scaled e' (map (fun m => m * 2 ^ (e - e'))%Z ms).
Proof. intros ms e e' L. unfold scaled. rewrite map_map. apply map_ext. intros m. now apply finer. Qed.

Lemma common_grid : forall vs k, Forall (value A) vs -> exists e ms, (e <= k)%Z /\ vs = scaled e ms.
Proof.
  intros vs k H. induction H as [| v vs V _ (e & ms & L & ->)]; [exists k, []; split; [lia | easy] |].
  destruct (value_dyadic F v V) as (m & f & ->). exists (Z.min e f).
  exists ((m * 2 ^ (f - Z.min e f)) :: map (fun m => m * 2 ^ (e - Z.min e f)) ms)%Z. split; [lia |].
  rewrite (finer_all ms e (Z.min e f)) by lia. rewrite (finer m f (Z.min e f)) by lia. reflexivity.
Qed.

Lemma total_scaled : forall e ms, total (scaled e ms) = IZR (zsum ms) * pow2 e.
Proof.
  induction ms as [| m ms IH]; simpl; [ring |]. fold (scaled e ms). rewrite IH, plus_IZR. ring.
Qed.

Lemma positive_scaled : forall e ms, map positive_part (scaled e ms) = scaled e (map (Z.max 0) ms).
Proof.
  intros e ms. unfold scaled. rewrite !map_map. apply map_ext. intros m. unfold positive_part.
  pose proof (bpow_gt_0 radix2 e). destruct (Z_lt_le_dec m 0) as [L | L].
  - rewrite Z.max_l by lia. rewrite Rmult_0_l. apply Rmax_right. apply IZR_lt in L. nra.
  - rewrite Z.max_r by lia. apply Rmax_left. apply IZR_le in L. nra.
Qed.

(** The positive terms of a sum with the value [m 2^k], [m] odd, all of whose parts are values, sum to less than
    [2^p 2^k] above it. *)
Theorem positive_parts_bounded : forall vs m k,
  parts_are_values A vs ->
  Z.odd m = true -> total vs = IZR m * pow2 k ->
  total (map positive_part vs) <= (IZR (2 ^ p) - 1) * pow2 k + Rmax (total vs) 0.
Proof.
  intros vs m k H O E.
  assert (V : Forall (value A) vs).
  { apply Forall_forall. intros v I. destruct (in_split _ _ I) as (l1 & l2 & ->).
    specialize (H [v] (l1 ++ l2)). simpl in H. rewrite Rplus_0_r in H.
    apply H, Permutation_middle. }
  destruct (common_grid vs k V) as (e & ms & L & ->). rewrite positive_scaled, !total_scaled in *.
  assert (D : (2 ^ (k - e) = 2 ^ Z.of_nat (Z.to_nat (k - e)))%Z) by (f_equal; lia).
  assert (Z : (zsum (map (Z.max 0) ms) <= (2 ^ p - 1 + Z.max m 0) * 2 ^ Z.of_nat (Z.to_nat (k - e)))%Z).
  { apply (positive_integers_bounded _ e); [| exact O |].
    - intros us ws P. rewrite <- total_scaled. apply (H _ (scaled e ws)). unfold scaled.
      rewrite <- map_app. now apply Permutation_map, Permutation_sym.
    - rewrite (finer m k e L) in E. apply Rmult_eq_reg_r in E; [| apply Rgt_not_eq, bpow_gt_0].
      apply eq_IZR in E. now rewrite <- D. }
  rewrite <- D in Z. pose proof (bpow_gt_0 radix2 e) as G.
  apply IZR_le in Z. rewrite E.
  replace (Rmax (IZR m * pow2 k) 0) with (IZR (Z.max m 0) * pow2 k).
  - rewrite <- Rmult_plus_distr_r, <- minus_IZR, <- plus_IZR, (finer _ k e L).
    now apply Rmult_le_compat_r; [apply Rlt_le |].
  - pose proof (bpow_gt_0 radix2 k). destruct (Z_lt_le_dec m 0) as [N | N].
    + rewrite Z.max_r by lia. rewrite Rmax_right; [ring |]. apply IZR_lt in N. nra.
    + rewrite Z.max_l by lia. rewrite Rmax_left; [ring |]. apply IZR_le in N. nra.
Qed.

End Bound.
