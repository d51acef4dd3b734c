(** * Bounded exponents, with infinities: exact sums

    R5: multiples of a power of two add up exactly in every order, as far as the format has the multiples. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Sums Overflow OverflowSums.

Import ListNotations.
Open Scope R_scope.

Section Grid.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation value := (Overflow.value prec emax).
Notation fleaf := (OverflowSums.fleaf prec emax).
Notation leaf_exactly := (of_leaf exactly product_exactly).

(** ** By counting *)

(** The leaf is a multiple of [g]; its positive and its negative part are marked. *)
Definition multiple (g : R) (l : fleaf) (p n : Z) : Prop :=
  exists m, leaf_exactly (IZR m * g) l /\ p = Z.max m 0 /\ n = Z.max (- m) 0.

Lemma multiple_nonnegative : forall g l p n, multiple g l p n -> (0 <= p /\ 0 <= n)%Z.
Proof. intros g l p n (m & _ & -> & ->). lia. Qed.

Lemma tally_exact : forall g most t, (forall m, (Z.abs m <= most)%Z -> value (IZR m * g)) -> forall p n,
  tally (multiple g) (fleaves t) p n -> (p <= most)%Z -> (n <= most)%Z ->
  bounded exactly product_exactly eq t (IZR (p - n) * g).
Proof.
  intros g most t V. induction t as [l | a IHa b IHb]; intros p n T Hp Hn;
    assert (N := tally_nonnegative _ _ _ (multiple_nonnegative g) _ _ _ T).
  - constructor; [apply V; lia|]. apply tally_one in T. destruct T as (m & L & -> & ->).
    now replace (Z.max m 0 - Z.max (- m) 0)%Z with m by lia.
  - simpl in T. apply tally_app in T. destruct T as (p1 & n1 & p2 & n2 & Ta & Tb & -> & ->).
    assert (Na := tally_nonnegative _ _ _ (multiple_nonnegative g) _ _ _ Ta).
    assert (Nb := tally_nonnegative _ _ _ (multiple_nonnegative g) _ _ _ Tb).
    apply bounded_add with (IZR (p1 - n1) * g) (IZR (p2 - n2) * g).
    + apply V. lia.
    + rewrite <- Rmult_plus_distr_r, <- plus_IZR. do 2 f_equal. ring.
    + apply IHa; [exact Ta|lia|lia].
    + apply IHb; [exact Tb|lia|lia].
Qed.

(** R5: multiples of [g], whose positive parts and whose negative parts add up to at most [most] units each, add up
    exactly in every order, if the format has the multiples that far. *)
Lemma fsums_exact : forall bias terms r g most p n,
  (forall m, (Z.abs m <= most)%Z -> value (IZR m * g)) ->
  tally (multiple g) (fleaves_of bias terms) p n -> (p <= most)%Z -> (n <= most)%Z ->
  fsums bias terms r -> exactly (IZR (p - n) * g) r.
Proof.
  intros bias terms r g most p n V T Hp Hn (t & P & E).
  apply (tally_permutation _ _ _ _ _ (Permutation_sym P)) in T.
  apply tree_exactly with (2 := E). now apply tally_exact with most.
Qed.

(** ** By the sums of positive and of negative parts *)

Definition finite_leaf (l : fleaf) : Prop :=
  match l with
  | FNumber v => is_finite v = true
  | FProduct w x => is_finite w = true /\ is_finite x = true
  end.

Definition exact_leaf (l : fleaf) : R := match l with FNumber v => B2R v | FProduct w x => B2R w * B2R x end.

Definition positives (vs : list R) : R := total (map positive_part vs).
Definition negatives (vs : list R) : R := total (map (fun v => positive_part (- v)) vs).

Lemma positives_less_negatives : forall vs, positives vs - negatives vs = total vs.
Proof.
  unfold positives, negatives. induction vs as [|v vs IH]; simpl; [lra|]. fold (total (map positive_part vs)).
  unfold total in *. rewrite <- IH. unfold positive_part, Rmax. destruct (Rle_dec _ _), (Rle_dec _ _); lra.
Qed.

Lemma positive_part_multiple : forall m g, 0 < g -> positive_part (IZR m * g) = IZR (Z.max m 0) * g.
Proof.
  intros m g G. unfold positive_part. destruct (Z.le_ge_cases m 0) as [H|H]; apply IZR_le in H as L.
  - rewrite Z.max_r, Rmax_right by (trivial; nra). ring.
  - rewrite Z.max_l, Rmax_left by (trivial; nra). ring.
Qed.

Lemma tally_of_multiples : forall g ls, 0 < g ->
  (forall l, In l ls -> finite_leaf l /\ exists m, exact_leaf l = IZR m * g) ->
  exists p n, tally (multiple g) ls p n /\
    IZR p * g = positives (map exact_leaf ls) /\ IZR n * g = negatives (map exact_leaf ls).
Proof.
  intros g ls G. induction ls as [|l ls IH]; intros H.
  - exists 0%Z, 0%Z. split; [constructor|]. unfold positives, negatives. simpl. lra.
  - destruct IH as (p & n & T & P & N); [intros k I; apply H; now right|].
    destruct (H l (or_introl eq_refl)) as (F & m & E).
    exists (Z.max m 0 + p)%Z, (Z.max (- m) 0 + n)%Z. split; [|split].
    + constructor; [|exact T]. exists m. repeat split. destruct l; repeat split; try apply F; exact E.
    + unfold positives in *. simpl. rewrite E, positive_part_multiple, plus_IZR by exact G.
      unfold total in *. lra.
    + unfold negatives in *. simpl. rewrite E, Ropp_mult_distr_l, <- opp_IZR, positive_part_multiple, plus_IZR by exact G.
      unfold total in *. lra.
Qed.

(** R5 with the side conditions of [SumRange]: exact, if the positive parts add up to at most [2^p] units and to less than
    the format reaches, and the negative ones as well. *)
Lemma fsums_total : forall bias terms r e, (emin <= e)%Z ->
  is_finite bias = true -> (forall w x, In (w, x) terms -> is_finite w = true /\ is_finite x = true) ->
  (exists m, B2R bias = IZR m * pow2 e) ->
  (forall w x, In (w, x) terms -> exists m, B2R w * B2R x = IZR m * pow2 e) ->
  let vs := B2R bias :: map (fun t => B2R (fst t) * B2R (snd t)) terms in
  positives vs <= pow2 prec * pow2 e -> negatives vs <= pow2 prec * pow2 e ->
  positives vs < pow2 emax -> negatives vs < pow2 emax ->
  fsums bias terms r -> exactly (total vs) r.
Proof.
  intros bias terms r e He Fb Ft Mb Mt vs Pp Pn Bp Bn S.
  assert (G := bpow_gt_0 radix2 e).
  assert (E : map exact_leaf (fleaves_of bias terms) = vs).
  { unfold vs, fleaves_of. simpl. f_equal. rewrite map_map. apply map_ext. now intros [w x]. }
  destruct (tally_of_multiples (pow2 e) (fleaves_of bias terms) G) as (p & n & T & P & N).
  { intros l [<- | I]; [now split|]. apply in_map_iff in I. destruct I as ([w x] & <- & I).
    split; [now apply Ft|now apply Mt]. }
  assert (Q := tally_nonnegative _ _ _ (multiple_nonnegative _) _ _ _ T).
  rewrite E in P, N. rewrite <- positives_less_negatives, <- P, <- N, <- Rmult_minus_distr_r, <- minus_IZR.
  rewrite <- P in Pp, Bp. rewrite <- N in Pn, Bn.
  apply Rmult_le_reg_r in Pp; [|exact G]. apply Rmult_le_reg_r in Pn; [|exact G].
  rewrite <- (IZR_Zpower radix2) in Pp, Pn by (generalize (prec_gt_0 prec); lia).
  apply le_IZR in Pp. apply le_IZR in Pn.
  apply fsums_exact with (most := Z.max p n) (5 := S); auto; try lia.
  intros m Hm. apply value_grid; auto.
  - change (radix2 ^ prec)%Z with (2 ^ prec)%Z in *. lia.
  - rewrite Rabs_mult, (Rabs_pos_eq (pow2 e)), <- abs_IZR by lra.
    apply Rle_lt_trans with (IZR (Z.max p n) * pow2 e).
    + apply Rmult_le_compat_r; [lra|]. now apply IZR_le.
    + destruct (Z.max_spec p n) as [[_ ->] | [_ ->]]; assumption.
Qed.

(** ** Zeros change nothing *)

(** An integer of magnitude at most 1, and zeros. *)
Lemma fsums_bias : forall m bias terms r, (Z.abs m <= 1)%Z -> exactly (IZR m) bias ->
  (forall w x, In (w, x) terms -> product_exactly 0 w x) -> fsums bias terms r -> exactly (IZR m) r.
Proof.
  intros m bias terms r Hm Hb Ht S.
  replace (IZR m) with (IZR (Z.max m 0 - Z.max (- m) 0) * 1).
  - apply fsums_exact with (most := 1%Z) (5 := S); try lia.
    + intros k Hk. replace (IZR k * 1) with (IZR k * pow2 (- 0)) by (simpl; ring).
      assert (P := prec_gt_0 prec).
      apply value_of_penalties; [exact prec_positive|exact prec_below_emax|lia|now apply emin_negative|exact Hk].
    + apply tally_sum with (Z.max m 0) (Z.max (- m) 0) 0%Z 0%Z; try ring.
      * exists m. rewrite Rmult_1_r. split; [exact Hb|now split].
      * generalize (tally_terms _ _ (multiple 1) _ (fun t => t) (fun _ => 0%Z) (fun _ => 0%Z) terms).
        rewrite map_id, zsum_zero. intros T. apply T. intros [w x] I.
        exists 0%Z. rewrite Rmult_0_l. split; [now apply Ht|now split].
  - replace (Z.max m 0 - Z.max (- m) 0)%Z with m by lia. ring.
Qed.

End Grid.

Arguments finite_leaf {prec emax} l.
Arguments exact_leaf {prec emax} l.
