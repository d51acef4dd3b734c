(** * Bounded exponents, with infinities: sums on every path

    Trees as in [Trees], over the data of a format with a largest value. A path chooses the arrangement, the contractions,
    and for each operation the direction in which it rounds. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Overflow.

Import ListNotations.
Open Scope R_scope.

Section Sums.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation value := (Overflow.value prec emax).

(** ** Trees and paths *)

Inductive fleaf :=
| FNumber (v : datum)
| FProduct (w x : datum).

Inductive ftree :=
| FLeaf (l : fleaf)
| FAdd (a b : ftree).

Fixpoint fleaves (t : ftree) : list fleaf :=
  match t with
  | FLeaf l => [l]
  | FAdd a b => fleaves a ++ fleaves b
  end.

(** [fevaluates t r]: some path through [t] gives [r]. *)
Inductive fevaluates : ftree -> datum -> Prop :=
| fevaluates_number v : fevaluates (FLeaf (FNumber v)) v
| fevaluates_product m w x : fevaluates (FLeaf (FProduct w x)) (Bmult m w x)
| fevaluates_add m a b x y : fevaluates a x -> fevaluates b y -> fevaluates (FAdd a b) (Bplus m x y)
| fevaluates_contracted_left m w x b y :
    fevaluates b y -> fevaluates (FAdd (FLeaf (FProduct w x)) b) (Bfma m w x y)
| fevaluates_contracted_right m a y w x :
    fevaluates a y -> fevaluates (FAdd a (FLeaf (FProduct w x))) (Bfma m w x y).

Definition fleaves_of (bias : datum) (terms : list (datum * datum)) : list fleaf :=
  FNumber bias :: map (fun '(w, x) => FProduct w x) terms.

(** [fsums bias terms r]: some order of the terms and some path through it give [r]. *)
Definition fsums (bias : datum) (terms : list (datum * datum)) (r : datum) : Prop :=
  exists t, Permutation (fleaves t) (fleaves_of bias terms) /\ fevaluates t r.

(** ** NaN stays

    So a result that is not NaN says that nothing on its path is. *)

(** The path of which every intermediate result is not NaN. *)
Inductive without_nan : ftree -> datum -> Prop :=
| without_nan_number v : is_nan v = false -> without_nan (FLeaf (FNumber v)) v
| without_nan_product m w x :
    is_nan (Bmult m w x) = false -> without_nan (FLeaf (FProduct w x)) (Bmult m w x)
| without_nan_add m a b x y : is_nan (Bplus m x y) = false ->
    without_nan a x -> without_nan b y -> without_nan (FAdd a b) (Bplus m x y)
| without_nan_contracted_left m w x b y : is_nan (Bfma m w x y) = false ->
    without_nan b y -> without_nan (FAdd (FLeaf (FProduct w x)) b) (Bfma m w x y)
| without_nan_contracted_right m a y w x : is_nan (Bfma m w x y) = false ->
    without_nan a y -> without_nan (FAdd a (FLeaf (FProduct w x))) (Bfma m w x y).

Lemma plus_keeps_nan : forall m (x y : datum),
  is_nan (Bplus m x y) = false -> is_nan x = false /\ is_nan y = false.
Proof. intros m [s|s| |s mx ex H] [s'|s'| |s' my ey H']; simpl; try easy; now destruct s, s'. Qed.

Lemma fma_keeps_nan : forall m (w x y : datum), is_nan (Bfma m w x y) = false -> is_nan y = false.
Proof. intros m w x y. destruct y; auto. now destruct w, x. Qed.

(** A path whose result is not NaN has met none. *)
Lemma nan_would_stay : forall t r, fevaluates t r -> is_nan r = false -> without_nan t r.
Proof.
  induction 1; intros N; constructor; auto.
  - apply plus_keeps_nan in N. now apply IHfevaluates1.
  - apply plus_keeps_nan in N. now apply IHfevaluates2.
  - apply fma_keeps_nan in N. auto.
  - apply fma_keeps_nan in N. auto.
Qed.

(** ** Bounds go up a tree *)

Section Bounds.

(** What is said of data and of products, and how bounds compare. *)
Variable of_datum : R -> datum -> Prop.
Variable of_product : R -> datum -> datum -> Prop.
Variable compares : R -> R -> Prop.

Hypothesis mult_keeps : forall m v w x, value v -> of_product v w x -> of_datum v (Bmult m w x).
Hypothesis plus_keeps : forall m u v r x y, value r -> compares (u + v) r ->
  of_datum u x -> of_datum v y -> of_datum r (Bplus m x y).
Hypothesis fma_keeps : forall m u v r w x z, value r -> compares (u + v) r ->
  of_product u w x -> of_datum v z -> of_datum r (Bfma m w x z).

Definition of_leaf (v : R) (l : fleaf) : Prop :=
  match l with
  | FNumber x => of_datum v x
  | FProduct w x => of_product v w x
  end.

(** A value for each node: what is said of the leaves goes up over additions. *)
Inductive bounded : ftree -> R -> Prop :=
| bounded_leaf l v : value v -> of_leaf v l -> bounded (FLeaf l) v
| bounded_add a b u v r : value r -> compares (u + v) r -> bounded a u -> bounded b v -> bounded (FAdd a b) r.

Lemma bounded_evaluates : forall t r, fevaluates t r -> forall v, bounded t v -> of_datum v r.
Proof.
  induction 1 as [x | m w x | m a b x y _ IHa _ IHb | m w x b y _ IHb | m a y w x _ IHa];
    intros v' B; inversion B as [l v V L | c d u v r V C Bc Bd]; subst.
  - exact L.
  - now apply mult_keeps.
  - now apply (plus_keeps m u v); auto.
  - inversion Bc as [l v'' V' L |]; subst. now apply (fma_keeps m u v); auto.
  - inversion Bd as [l v'' V' L |]; subst. apply (fma_keeps m v u); auto. now rewrite Rplus_comm.
Qed.

Lemma fleaves_not_empty : forall t, (1 <= length (fleaves t))%nat.
Proof. induction t as [l | a IHa b IHb]; simpl; [lia|]. rewrite app_length. lia. Qed.

Lemma one_leaf : forall t l, fleaves t = [l] -> t = FLeaf l.
Proof.
  intros [k | a b] l E.
  - simpl in E. congruence.
  - exfalso. apply (f_equal (@length fleaf)) in E. simpl in E. rewrite app_length in E.
    generalize (fleaves_not_empty a) (fleaves_not_empty b). simpl in E. lia.
Qed.

Lemma two_leaves : forall t k l, fleaves t = [k; l] -> t = FAdd (FLeaf k) (FLeaf l).
Proof.
  intros [j | [j | a b] c] k l E; simpl in E.
  - discriminate.
  - injection E as -> E. apply one_leaf in E. now subst.
  - exfalso. apply (f_equal (@length fleaf)) in E. rewrite !app_length in E.
    generalize (fleaves_not_empty a) (fleaves_not_empty b) (fleaves_not_empty c). simpl in E. lia.
Qed.

(** A neuron of one term: two leaves, in one order or the other. *)
Lemma bounded_pair : forall b w x u v r s, value u -> value v -> value r -> compares (u + v) r ->
  of_datum u b -> of_product v w x -> fsums b [(w, x)] s -> of_datum r s.
Proof.
  intros b w x u v r s Vu Vv Vr C Hb Hp (t & P & E). apply (bounded_evaluates t s E).
  assert (L : bounded (FLeaf (FNumber b)) u) by now constructor.
  assert (M : bounded (FLeaf (FProduct w x)) v) by now constructor.
  apply Permutation_sym, Permutation_length_2_inv in P. destruct P as [P | P]; apply two_leaves in P; subst t.
  - now apply (bounded_add _ _ u v).
  - apply (bounded_add _ _ v u); auto. now rewrite Rplus_comm.
Qed.

End Bounds.

(** The three bounds. *)
Notation leaf_at_most := (of_leaf at_most product_at_most).
Notation leaf_exactly := (of_leaf exactly product_exactly).

Lemma tree_at_most : forall t v r, bounded at_most product_at_most Rle t v -> fevaluates t r -> at_most v r.
Proof.
  intros t v r B E. apply (bounded_evaluates at_most product_at_most Rle) with t; auto.
  - intros. now apply mult_at_most.
  - intros. now apply plus_at_most with u v0.
  - intros. now apply fma_at_most with u v0.
Qed.

Lemma tree_exactly : forall t v r, bounded exactly product_exactly eq t v -> fevaluates t r -> exactly v r.
Proof.
  intros t v r B E. apply (bounded_evaluates exactly product_exactly eq) with t; auto.
  - intros. now apply mult_exactly.
  - intros. now apply plus_exactly with u v0.
  - intros. now apply fma_exactly with u v0.
Qed.

(** One term and a bias, from above. *)
Lemma pair_at_most : forall b w x u v r s, value u -> value v -> value r -> u + v <= r ->
  at_most u b -> product_at_most v w x -> fsums b [(w, x)] s -> at_most r s.
Proof.
  intros b w x u v r s. apply (bounded_pair at_most product_at_most Rle).
  - intros. now apply mult_at_most.
  - intros. now apply plus_at_most with u0 v0.
  - intros. now apply fma_at_most with u0 v0.
Qed.

(** One term and a bias, from below. *)
Lemma pair_at_least : forall b w x u v r s, value u -> value v -> value r -> r <= u + v ->
  at_least u b -> product_at_least v w x -> fsums b [(w, x)] s -> at_least r s.
Proof.
  intros b w x u v r s Vu Vv Vr C.
  apply (bounded_pair at_least product_at_least (fun p q => q <= p)) with (u := u) (v := v); auto.
  - intros. now apply mult_at_least.
  - intros. now apply plus_at_least with u0 v0.
  - intros. now apply fma_at_least with u0 v0.
Qed.

(** ** Tallies

    Each leaf is marked with two counts, which add up over the leaves, in whatever order. *)

Section Tally.

Variable mark : fleaf -> Z -> Z -> Prop.

Inductive tally : list fleaf -> Z -> Z -> Prop :=
| tally_nil : tally [] 0 0
| tally_cons l p n ls p' n' : mark l p n -> tally ls p' n' -> tally (l :: ls) (p + p') (n + n').

Lemma tally_sum : forall l ls p n p' n' p'' n'', mark l p n -> tally ls p' n' ->
  p'' = (p + p')%Z -> n'' = (n + n')%Z -> tally (l :: ls) p'' n''.
Proof. intros; subst. now constructor. Qed.

Lemma tally_permutation : forall ls ks, Permutation ls ks -> forall p n, tally ls p n -> tally ks p n.
Proof.
  induction 1 as [| l ls ks _ IH | k l ls | ls ks js _ IH _ IH']; intros p n T; auto.
  - inversion T; subst. constructor; auto.
  - inversion T as [| ? p1 n1 ? ? ? M T']; subst. inversion T' as [| ? p2 n2 ? p3 n3 M' T'']; subst.
    apply tally_sum with p2 n2 (p1 + p3)%Z (n1 + n3)%Z; auto; try ring. now constructor.
Qed.

Lemma tally_app : forall ls ks p n, tally (ls ++ ks) p n ->
  exists p1 n1 p2 n2, tally ls p1 n1 /\ tally ks p2 n2 /\ p = (p1 + p2)%Z /\ n = (n1 + n2)%Z.
Proof.
  induction ls as [| l ls IH]; intros ks p n T; simpl in T.
  - exists 0%Z, 0%Z, p, n. repeat split; auto. constructor.
  - inversion T as [| ? p1 n1 ? p2 n2 M T']; subst. apply IH in T'.
    destruct T' as (a & b & c & d & Ta & Tc & -> & ->).
    exists (p1 + a)%Z, (n1 + b)%Z, c, d. repeat split; auto; try ring. now constructor.
Qed.

Lemma tally_one : forall l p n, tally [l] p n -> mark l p n.
Proof.
  intros l p n T. inversion T as [| ? ? ? ? ? ? M T']; subst. inversion T'; subst. now rewrite !Z.add_0_r.
Qed.

(** Marks are natural numbers. *)
Hypothesis mark_nonnegative : forall l p n, mark l p n -> (0 <= p /\ 0 <= n)%Z.

Lemma tally_nonnegative : forall ls p n, tally ls p n -> (0 <= p /\ 0 <= n)%Z.
Proof.
  induction 1 as [| l p n ls p' n' M _ IH]; [lia|]. apply mark_nonnegative in M. lia.
Qed.

End Tally.

(** Of the terms of a neuron: the sums of their marks. *)

Definition zsum {T : Type} (f : T -> Z) (l : list T) : Z := fold_right Z.add 0%Z (map f l).

Lemma zsum_zero : forall (T : Type) (l : list T), zsum (fun _ => 0%Z) l = 0%Z.
Proof. intros T l. unfold zsum. induction l; simpl; lia. Qed.

Lemma tally_terms : forall (mark : fleaf -> Z -> Z -> Prop) (T : Type) (term : T -> datum * datum)
  (f g : T -> Z) ts,
  (forall t, In t ts -> mark (FProduct (fst (term t)) (snd (term t))) (f t) (g t)) ->
  tally mark (map (fun '(w, x) => FProduct w x) (map term ts)) (zsum f ts) (zsum g ts).
Proof.
  intros mark T term f g ts. unfold zsum. induction ts as [|t ts IH]; intros H; simpl; constructor.
  - specialize (H t (or_introl eq_refl)). now destruct (term t).
  - apply IH. intros v I. apply H. now right.
Qed.

(** The same if only second counts are marked. *)
Lemma tally_seconds : forall (mark : fleaf -> Z -> Z -> Prop) (T : Type) (term : T -> datum * datum)
  (g : T -> Z) ts,
  (forall t, In t ts -> mark (FProduct (fst (term t)) (snd (term t))) 0%Z (g t)) ->
  tally mark (map (fun '(w, x) => FProduct w x) (map term ts)) 0 (zsum g ts).
Proof.
  intros mark T term g ts H. rewrite <- (zsum_zero T ts). now apply (tally_terms mark T term (fun _ => 0%Z)).
Qed.

(** ** R6: one, and penalties of at least [2^-j] *)

(** The one is marked in the first count, each penalty in the second one. *)
Definition penalized (j : Z) (l : fleaf) (p n : Z) : Prop :=
  (p = 1 /\ n = 0 /\ leaf_at_most 1 l)%Z \/
  (p = 0 /\ n = 1 /\ leaf_at_most (- pow2 (- j)) l)%Z \/
  (p = 0 /\ n = 0 /\ leaf_at_most 0 l)%Z.

Lemma penalized_nonnegative : forall j l p n, penalized j l p n -> (0 <= p /\ 0 <= n)%Z.
Proof. intros j l p n [(-> & -> & _) | [(-> & -> & _) | (-> & -> & _)]]; lia. Qed.

(** What a subtree is at most, in units of [2^-j]. *)
Definition dominated (j p n : Z) : Z := (p * 2 ^ j - Z.min n (2 ^ j))%Z.

Lemma unit_of_penalties : forall j, (0 <= j)%Z -> IZR (2 ^ j) * pow2 (- j) = 1.
Proof. intros j Hj. rewrite (IZR_Zpower radix2) by exact Hj. rewrite <- bpow_plus. now rewrite Z.add_opp_diag_r. Qed.

Lemma value_of_penalties : forall j m, (0 <= j <= prec)%Z -> (emin <= - j)%Z -> (Z.abs m <= 2 ^ j)%Z ->
  value (IZR m * pow2 (- j)).
Proof.
  intros j m Hj He Hm. apply value_grid; auto.
  - apply Z.le_trans with (1 := Hm). now apply (Zpower_le radix2).
  - apply Rle_lt_trans with 1.
    + rewrite Rabs_mult, (Rabs_pos_eq (pow2 (- j))) by apply bpow_ge_0.
      rewrite <- (unit_of_penalties j) by lia.
      apply Rmult_le_compat_r; [apply bpow_ge_0|]. rewrite <- abs_IZR. now apply IZR_le.
    + change 1 with (pow2 0). apply bpow_lt. generalize (prec_gt_0 prec) (prec_lt_emax prec emax). lia.
Qed.

Lemma tally_dominates : forall j t, (0 <= j <= prec)%Z -> (emin <= - j)%Z -> forall p n,
  tally (penalized j) (fleaves t) p n -> (p <= 1)%Z ->
  bounded at_most product_at_most Rle t (IZR (dominated j p n) * pow2 (- j)).
Proof.
  intros j t Hj He.
  assert (J : (1 <= 2 ^ j)%Z) by (generalize (Zpower_gt_0 radix2 j); simpl; lia).
  assert (V : forall p n, (0 <= p <= 1)%Z -> (0 <= n)%Z -> value (IZR (dominated j p n) * pow2 (- j))).
  { intros p n Hp Hn. apply value_of_penalties; auto. unfold dominated.
    assert (p = 0 \/ p = 1)%Z as [-> | ->] by lia; lia. }
  assert (B := bpow_gt_0 radix2 (- j)).
  induction t as [l | a IHa b IHb]; intros p n T Hp.
  - assert (N := tally_nonnegative _ (penalized_nonnegative j) _ _ _ T).
    constructor; [now apply V|]. apply tally_one in T. unfold dominated.
    destruct T as [(-> & -> & L) | [(-> & -> & L) | (-> & -> & L)]].
    + rewrite Z.min_l, Z.mul_1_l, Z.sub_0_r, unit_of_penalties by lia. exact L.
    + rewrite Z.min_l by lia. replace (IZR (0 * 2 ^ j - 1) * pow2 (- j)) with (- pow2 (- j)); [exact L|].
      simpl. ring.
    + rewrite Z.min_l by lia. simpl. now rewrite Rmult_0_l.
  - assert (N := tally_nonnegative _ (penalized_nonnegative j) _ _ _ T).
    simpl in T. apply tally_app in T. destruct T as (p1 & n1 & p2 & n2 & Ta & Tb & -> & ->).
    assert (Na := tally_nonnegative _ (penalized_nonnegative j) _ _ _ Ta).
    assert (Nb := tally_nonnegative _ (penalized_nonnegative j) _ _ _ Tb).
    apply bounded_add with (IZR (dominated j p1 n1) * pow2 (- j)) (IZR (dominated j p2 n2) * pow2 (- j)).
    + now apply V.
    + rewrite <- Rmult_plus_distr_r, <- plus_IZR. apply Rmult_le_compat_r; [lra|]. apply IZR_le.
      unfold dominated. lia.
    + apply IHa; [exact Ta|lia].
    + apply IHb; [exact Tb|lia].
Qed.

(** R6: at most one 1 and otherwise nothing above 0, of which at least [2^j] terms are at most [-2^-j]. *)
Lemma fsums_dominated : forall bias terms r j n, (0 <= j <= prec)%Z -> (emin <= - j)%Z ->
  tally (penalized j) (fleaves_of bias terms) 1 n -> (2 ^ j <= n)%Z ->
  fsums bias terms r -> at_most 0 r.
Proof.
  intros bias terms r j n Hj He T Hn (t & P & E).
  apply (tally_permutation _ _ _ (Permutation_sym P)) in T.
  replace 0 with (IZR (dominated j 1 n) * pow2 (- j)).
  - apply tree_at_most with t; [|exact E]. apply tally_dominates; auto. lia.
  - unfold dominated. rewrite Z.min_r by exact Hn. replace (1 * 2 ^ j - 2 ^ j)%Z with 0%Z by ring. ring.
Qed.

(** R1: nothing above 0, something that is at most -1. *)
Lemma fsums_at_most_minus_one : forall bias terms r n,
  tally (penalized 0) (fleaves_of bias terms) 0 n -> (1 <= n)%Z ->
  fsums bias terms r -> at_most (-1) r.
Proof.
  intros bias terms r n T Hn (t & P & E).
  apply (tally_permutation _ _ _ (Permutation_sym P)) in T.
  replace (-1) with (IZR (dominated 0 0 n) * pow2 (- 0)).
  - apply tree_at_most with t; [|exact E].
    assert (P' := prec_gt_0 prec).
    apply tally_dominates; [lia|now apply emin_negative|exact T|lia].
  - unfold dominated. rewrite Z.min_r by exact Hn. simpl. ring.
Qed.

End Sums.

Arguments FNumber {prec emax} v.
Arguments FProduct {prec emax} w x.
Arguments FLeaf {prec emax} l.
Arguments FAdd {prec emax} a b.
Arguments fleaves {prec emax} t.
Arguments fevaluates {prec emax} {prec_positive prec_below_emax} t r.
Arguments without_nan {prec emax} {prec_positive prec_below_emax} t r.
Arguments fleaves_of {prec emax} bias terms.
Arguments fsums {prec emax} {prec_positive prec_below_emax} bias terms r.
Arguments of_leaf {prec emax} of_datum of_product v l.
Arguments bounded {prec emax} of_datum of_product compares t v.
Arguments tally {prec emax} mark ls p n.
Arguments penalized {prec emax} j l p n.
