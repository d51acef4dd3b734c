(** * The error of a sum over all trees in formats with gradual underflow, flushed or not

    Sums are formed in an accumulator [B], and narrowed to a storage format [A] within it: at a counted number of nodes, or
    at any. What is smaller in magnitude than the least normal value of the format in which it stands may be flushed. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError Formats SumBound.

Import ListNotations.
Open Scope R_scope.

(** Rounding to nearest, any rule for ties, chosen anew for each operation. *)
Definition FLT_nearest (emin prec : Z) (Hprec : (0 < prec)%Z) (Hemin : (emin <= 0)%Z) : arithmetic.
Proof.
  refine (restricted (FLT_arithmetic emin prec Hprec Hemin)
    (fun t r => exists choice, r = round radix2 (FLT_exp emin prec) (Znearest choice) t) _ _).
  - intros t r [choice ->]. assert (valid : Valid_exp (FLT_exp emin prec)) by now apply FLT_exp_valid.
    apply neighbour_round; auto with typeclass_instances.
  - intros t. eexists. now exists (fun _ => true).
Defined.

(** An arithmetic over the values of a format each of whose roundings errs by at most [rho] ulps. *)
Definition errs_by (rho : R) (emin prec : Z) (A : arithmetic) : Prop :=
  (forall v, value A v <-> generic_format radix2 (FLT_exp emin prec) v) /\
  (forall t r, rounds A t r -> Rabs (r - t) <= rho * ulp radix2 (FLT_exp emin prec) t).

Lemma faithful_errs : forall emin prec Hp He, errs_by 1 emin prec (FLT_arithmetic emin prec Hp He).
Proof.
  intros emin prec Hp He. split; [easy |]. intros t r H.
  assert (valid : Valid_exp (FLT_exp emin prec)) by now apply FLT_exp_valid.
  rewrite Rmult_1_l. destruct H as [-> | ->]; apply error_le_ulp; auto with typeclass_instances.
Qed.

Theorem nearest_errs : forall emin prec Hp He, errs_by (/ 2) emin prec (FLT_nearest emin prec Hp He).
Proof.
  intros emin prec Hp He. split; [easy |]. intros t r [choice ->].
  assert (valid : Valid_exp (FLT_exp emin prec)) by now apply FLT_exp_valid.
  apply error_le_half_ulp; auto with typeclass_instances.
Qed.

Section Formats.

(** The storage format, and the accumulator that contains it; both may be the same. *)
Variables emin prec wide_emin wide_prec : Z.
Hypothesis prec_positive : (0 < prec)%Z.
Hypothesis prec_wide : (prec <= wide_prec)%Z.
Hypothesis emin_wide : (wide_emin <= emin)%Z.
Hypothesis emin_one : (emin <= 0)%Z.

Notation fexp := (FLT_exp emin prec).
Notation wide_fexp := (FLT_exp wide_emin wide_prec).

Local Instance positive_prec : Prec_gt_0 prec := prec_positive.
Local Instance positive_wide_prec : Prec_gt_0 wide_prec.
Proof. unfold Prec_gt_0. lia. Qed.
Local Instance valid_fexp : Valid_exp fexp := FLT_exp_valid emin prec.
Local Instance valid_wide_fexp : Valid_exp wide_fexp := FLT_exp_valid wide_emin wide_prec.
Local Instance monotone_fexp : Monotone_exp fexp := FLT_exp_monotone emin prec.
Local Instance monotone_wide_fexp : Monotone_exp wide_fexp := FLT_exp_monotone wide_emin wide_prec.

Variables A B : arithmetic.
Variable rho : R.
Hypothesis rho_nonnegative : 0 <= rho.
Hypothesis A_errs : errs_by rho emin prec A.
Hypothesis B_errs : errs_by rho wide_emin wide_prec B.

(** Below what a value may be flushed, in the accumulator and in the storage format: nothing is, if that is 0. *)
Variables wide_eta eta : R.
Hypothesis wide_eta_nonnegative : 0 <= wide_eta.
Hypothesis wide_eta_less : wide_eta <= eta.

(** Whether every value may be narrowed, and not only those that are counted. *)
Variable anywhere : bool.

Definition lost : R := if anywhere then eta else wide_eta.
Definition flushed (least x r : R) : Prop := r = x \/ Rabs x < least /\ r = 0.

(** A real is rounded in the accumulator, narrowed or not, flushed or not. *)
Definition becomes (t r : R) : Prop :=
  exists s u, rounds B t s /\ (u = s \/ anywhere = true /\ rounds A s u) /\ flushed lost u r.

Definition narrows (x r : R) : Prop := exists u, rounds A x u /\ flushed eta u r.

(** What they cost. *)
Definition narrowing_cost (t : R) : R := rho * ulp radix2 fexp t + eta.
Definition rounding_cost (t : R) : R :=
  rho * ulp radix2 wide_fexp t + (if anywhere then rho * ulp radix2 fexp t else 0) + lost.

(** On a grid, rounding costs nothing as far as the significand reaches. *)
Definition on (g : option Z) (t : R) : Prop := match g with None => True | Some e => on_grid e t end.
Definition on_cost (g : option Z) (t : R) : R :=
  match g with None => rounding_cost t | Some e => if Rle_dec t (pow2 (prec + e)) then 0 else rounding_cost t end.

(** A grid is one if its multiples, but 0, are neither below the storage format nor flushed. *)
Definition is_grid (g : option Z) : Prop := match g with None => True | Some e => (emin <= e)%Z /\ eta <= pow2 e end.

(** ** Values *)

Lemma storage_value : forall v, value A v -> value B v.
Proof.
  intros v V. apply A_errs in V. apply B_errs. revert V. apply generic_inclusion_mag. intros _. unfold FLT_exp. lia.
Qed.

Lemma storage_power : forall e, (emin <= e)%Z -> value A (pow2 e).
Proof. intros e H. apply A_errs. now apply generic_format_FLT_bpow. Qed.

Lemma lost_between : 0 <= lost <= eta.
Proof. unfold lost. destruct anywhere; lra. Qed.

Lemma flushed_zero : forall least r, flushed least 0 r -> r = 0.
Proof. now intros least r [-> | [_ ->]]. Qed.

Lemma flushed_cost : forall least x r, 0 <= least -> flushed least x r -> Rabs (r - x) <= least.
Proof.
  intros least x r P [-> | [L ->]]; [rewrite Rminus_diag_eq, Rabs_R0 by reflexivity; exact P |].
  rewrite Rminus_0_l, Rabs_Ropp. lra.
Qed.

(** A value of the accumulator that is read again. *)
Lemma becomes_value : forall v r, value B v -> becomes v r ->
  exists u, (u = v \/ anywhere = true /\ rounds A v u) /\ flushed lost u r.
Proof. intros v r V (s & u & S & U & H). apply rounds_value_exact in S; [| exact V]. subst s. now exists u. Qed.

Lemma storage_becomes : forall v r, value A v -> becomes v r -> flushed lost v r.
Proof.
  intros v r V H. apply becomes_value in H; [| now apply storage_value]. destruct H as (u & [-> | [_ U]] & H); [exact H |].
  now rewrite (rounds_value_exact A v u V U) in H.
Qed.

Lemma becomes_zero : forall r, becomes 0 r -> r = 0.
Proof. intros r H. apply (flushed_zero lost), storage_becomes; [apply value_0 | exact H]. Qed.

Lemma narrows_zero : forall r, narrows 0 r -> r = 0.
Proof.
  intros r (u & U & H). rewrite (rounds_value_exact A 0 u (value_0 A) U) in H. now apply (flushed_zero eta).
Qed.

Lemma becomes_again : forall t x r, becomes t x -> becomes x r -> becomes t r.
Proof.
  intros t x r (s & u & S & U & F) H. assert (Vs := rounds_value B t s S).
  destruct F as [-> | [L ->]].
  2: { apply becomes_zero in H. subst r. exists s, u. split; [exact S | split; [exact U | now right]]. }
  destruct U as [-> | [W U]].
  - apply becomes_value in H; [| exact Vs]. destruct H as (v & V & F). now exists s, v.
  - assert (Vu := rounds_value A s u U). apply storage_becomes in H; [| exact Vu].
    exists s, u. split; [exact S | split; [now right | exact H]].
Qed.

Lemma narrows_again : forall t x r, narrows t x -> becomes x r -> narrows t r.
Proof.
  intros t x r (u & U & F) H. assert (Vu := rounds_value A t u U). exists u. split; [exact U |].
  destruct F as [-> | [L ->]].
  - apply storage_becomes in H; [| exact Vu]. destruct H as [-> | [L ->]]; [now left | right].
    split; [| easy]. pose proof lost_between. lra.
  - right. split; [exact L | now apply becomes_zero].
Qed.

(** ** Costs *)

Lemma ulp_nonnegative : forall f t, 0 <= rho * ulp radix2 f t.
Proof. intros f t. apply Rmult_le_pos; [exact rho_nonnegative | apply ulp_ge_0]. Qed.

Lemma ulp_monotone : forall f {valid : Valid_exp f} {monotone : Monotone_exp f} s t, 0 <= s -> s <= t ->
  rho * ulp radix2 f s <= rho * ulp radix2 f t.
Proof.
  intros f valid monotone s t S L. apply Rmult_le_compat_l; [exact rho_nonnegative |].
  apply ulp_le; auto. rewrite !Rabs_pos_eq; lra.
Qed.

Lemma rounding_cost_nonnegative : forall t, 0 <= t -> 0 <= rounding_cost t.
Proof.
  intros t _. unfold rounding_cost. pose proof (ulp_nonnegative wide_fexp t). pose proof (ulp_nonnegative fexp t).
  pose proof lost_between. destruct anywhere; lra.
Qed.

Lemma rounding_cost_monotone : forall s t, 0 <= s -> s <= t -> rounding_cost s <= rounding_cost t.
Proof.
  intros s t S L. unfold rounding_cost. pose proof (ulp_monotone wide_fexp s t S L). pose proof (ulp_monotone fexp s t S L).
  destruct anywhere; lra.
Qed.

Lemma narrowing_cost_monotone : forall s t, 0 <= s -> s <= t -> narrowing_cost s <= narrowing_cost t.
Proof. intros s t S L. unfold narrowing_cost. pose proof (ulp_monotone fexp s t S L). lra. Qed.

Lemma on_cost_nonnegative : forall g t, 0 <= t -> 0 <= on_cost g t.
Proof. intros [e |] t T; simpl; [destruct Rle_dec; [lra |] |]; now apply rounding_cost_nonnegative. Qed.

Lemma on_cost_monotone : forall g s t, 0 <= s -> s <= t -> on_cost g s <= on_cost g t.
Proof.
  intros [e |] s t S L; simpl; [| now apply rounding_cost_monotone].
  pose proof (rounding_cost_nonnegative t ltac:(lra)). pose proof (rounding_cost_monotone s t S L).
  destruct (Rle_dec s _), (Rle_dec t _); lra.
Qed.

Lemma narrows_cost : forall t r, narrows t r -> Rabs (r - t) <= narrowing_cost (Rabs t).
Proof.
  intros t r (u & U & F). apply A_errs in U. apply flushed_cost in F; [| lra]. unfold narrowing_cost. rewrite ulp_abs.
  replace (r - t) with (r - u + (u - t)) by ring. apply Rle_trans with (1 := Rabs_triang _ _). lra.
Qed.

(** Narrowing after rounding costs no more than an ulp of what was rounded: where rounding reaches the next power of two,
    that is a value. *)
Lemma narrowed_cost : forall t s u, rounds B t s -> rounds A s u -> Rabs (u - s) <= rho * ulp radix2 fexp t.
Proof.
  intros t s u S U. pose proof (ulp_nonnegative fexp t) as P.
  assert (Exact : value A s -> Rabs (u - s) <= rho * ulp radix2 fexp t).
  { intros V. rewrite (rounds_value_exact A s u V U), Rminus_diag_eq, Rabs_R0 by reflexivity. exact P. }
  destruct (Req_dec s 0) as [-> | Hs]; [apply Exact, value_0 |].
  destruct (Req_dec t 0) as [-> | Ht].
  { exfalso. apply Hs. now apply (rounds_value_exact B 0 s (value_0 B)). }
  set (e := Z.max (mag radix2 t) emin).
  assert (Ve : value A (pow2 e)) by (apply storage_power; unfold e; lia).
  assert (Te : Rabs t <= pow2 e).
  { apply Rle_trans with (pow2 (mag radix2 t)); [apply Rlt_le, bpow_mag_gt | apply bpow_le; unfold e; lia]. }
  assert (Se : - pow2 e <= s <= pow2 e).
  { split.
    - apply (rounds_down_to B (- pow2 e) t s); [apply value_opp, storage_value, Ve | exact S |].
      revert Te. unfold Rabs. destruct Rcase_abs; lra.
    - apply (rounds_up_to B (pow2 e) t s); [apply storage_value, Ve | exact S |].
      revert Te. unfold Rabs. destruct Rcase_abs; lra. }
  destruct (Req_dec s (pow2 e)) as [-> | N1]; [now apply Exact |].
  destruct (Req_dec s (- pow2 e)) as [-> | N2]; [now apply Exact, value_opp |].
  apply Rle_trans with (rho * ulp radix2 fexp s); [now apply A_errs |].
  apply Rmult_le_compat_l; [exact rho_nonnegative |].
  rewrite !ulp_neq_0 by assumption. apply bpow_le. unfold cexp, FLT_exp.
  assert (Ms : (mag radix2 s <= e)%Z).
  { apply mag_le_bpow; [exact Hs |]. unfold Rabs. destruct Rcase_abs; lra. }
  unfold e in Ms. lia.
Qed.

Lemma becomes_cost : forall t r, becomes t r -> Rabs (r - t) <= rounding_cost t.
Proof.
  intros t r (s & u & S & U & F). assert (K : Rabs (s - t) <= rho * ulp radix2 wide_fexp t) by now apply B_errs.
  apply flushed_cost in F; [| apply lost_between]. unfold rounding_cost.
  assert (L : Rabs (u - s) <= (if anywhere then rho * ulp radix2 fexp t else 0)).
  { destruct U as [-> | [-> U]]; [| now apply narrowed_cost].
    rewrite Rminus_diag_eq, Rabs_R0 by reflexivity. pose proof (ulp_nonnegative fexp t). destruct anywhere; lra. }
  replace (r - t) with (r - u + (u - s + (s - t))) by ring.
  pose proof (Rabs_triang (r - u) (u - s + (s - t))). pose proof (Rabs_triang (u - s) (s - t)). lra.
Qed.

Lemma rounding_cost_abs : forall t, rounding_cost (Rabs t) = rounding_cost t.
Proof. intros t. unfold rounding_cost. now rewrite !ulp_abs. Qed.

(** ** Grids *)

Lemma on_plus : forall g s t, on g s -> on g t -> on g (s + t).
Proof. intros [e |] s t; simpl; [apply on_grid_plus | easy]. Qed.

Lemma flushed_on : forall g least x r, on g x -> flushed least x r -> on g r.
Proof. intros [e |] least x r; simpl; [| easy]. intros G [-> | [_ ->]]; [exact G |]. exists 0%Z. ring. Qed.

Lemma narrows_on : forall g t r, on g t -> narrows t r -> on g r.
Proof.
  intros g t r G (u & U & F). apply flushed_on with (2 := F). destruct g as [e |]; [| easy].
  exact (format_keeps_grid A fexp e (proj1 A_errs) t u G U).
Qed.

Lemma becomes_on : forall g t r, on g t -> becomes t r -> on g r.
Proof.
  intros g t r G (s & u & S & U & F). apply flushed_on with (2 := F). destruct g as [e |]; [| easy]. simpl in *.
  assert (Gs : on_grid e s) by exact (format_keeps_grid B wide_fexp e (proj1 B_errs) t s G S).
  destruct U as [-> | [_ U]]; [exact Gs |]. exact (format_keeps_grid A fexp e (proj1 A_errs) s u Gs U).
Qed.

(** What is on the grid, within its reach, is a value. *)
Lemma reached_value : forall e t, (emin <= e)%Z -> on_grid e t -> Rabs t <= pow2 (prec + e) -> value A t.
Proof.
  intros e t He [m ->] L. apply A_errs. apply (value_grid (FLT_arithmetic emin prec prec_positive emin_one)).
  - simpl. now apply FLT_power.
  - simpl. rewrite Rabs_mult, (Rabs_pos_eq (pow2 e)), bpow_plus, <- abs_IZR in L by apply bpow_ge_0.
    apply Rmult_le_reg_r in L; [| apply bpow_gt_0]. rewrite <- (IZR_Zpower radix2) in L by lia. now apply le_IZR in L.
Qed.

Lemma grid_not_flushed : forall e t, eta <= pow2 e -> on_grid e t -> Rabs t < eta -> t = 0.
Proof.
  intros e t He [m ->] L. destruct (Z.eq_dec m 0) as [-> | N]; [ring | exfalso].
  rewrite Rabs_mult, (Rabs_pos_eq (pow2 e)), <- abs_IZR in L by apply bpow_ge_0.
  assert (1 <= IZR (Z.abs m)) by (apply IZR_le; lia). pose proof (bpow_gt_0 radix2 e). nra.
Qed.

Lemma becomes_err : forall g t r, is_grid g -> on g t -> becomes t r -> Rabs (r - t) <= on_cost g (Rabs t).
Proof.
  intros g t r I G H. assert (K := becomes_cost t r H). rewrite <- rounding_cost_abs in K.
  destruct g as [e |]; simpl in *; [| exact K]. destruct Rle_dec as [L | L]; [| exact K]. destruct I as [He Hf].
  apply storage_becomes in H; [| now apply reached_value with e].
  destruct H as [-> | [F ->]]; [rewrite Rminus_diag_eq, Rabs_R0 by reflexivity; lra |].
  pose proof lost_between. rewrite (grid_not_flushed e t Hf G ltac:(lra)), Rminus_0_r, Rabs_R0. lra.
Qed.

(** ** What leaves are charged *)

(** Nothing, if they are values of the storage format that are not flushed; *)
Lemma charged_value : forall g l, on g (exact l) -> value A (exact l) -> exact l = 0 \/ lost <= Rabs (exact l) ->
  charged becomes (on g) l 0.
Proof.
  intros g l G V N. split; [lra | split; [exact G |]]. intros r H. apply storage_becomes in H; [| exact V].
  enough (r = exact l) as -> by (rewrite Rminus_diag_eq, Rabs_R0 by reflexivity; lra).
  destruct H as [-> | [L ->]]; [easy |]. destruct N as [-> | N]; [easy | lra].
Qed.

(** nor, if values are narrowed at counted nodes alone, as values of the accumulator; *)
Lemma charged_wide_value : forall g l, anywhere = false -> on g (exact l) -> value B (exact l) ->
  exact l = 0 \/ lost <= Rabs (exact l) -> charged becomes (on g) l 0.
Proof.
  intros g l W G V N. split; [lra | split; [exact G |]]. intros r H. apply becomes_value in H; [| exact V].
  destruct H as (u & [-> | [W' _]] & H); [| congruence].
  enough (r = exact l) as -> by (rewrite Rminus_diag_eq, Rabs_R0 by reflexivity; lra).
  destruct H as [-> | [L ->]]; [easy |]. destruct N as [-> | N]; [easy | lra].
Qed.

(** at most the least spacing and a flush, if the significand of the accumulator holds the product; *)
Theorem charged_underflow : forall g l, anywhere = false -> on g (exact l) ->
  generic_format radix2 (FLX_exp wide_prec) (exact l) -> charged becomes (on g) l (rho * pow2 wide_emin + lost).
Proof.
  intros g l W G V.
  assert (P : 0 <= rho * pow2 wide_emin) by (apply Rmult_le_pos; [exact rho_nonnegative | apply bpow_ge_0]).
  pose proof lost_between as Lb. split; [lra | split; [exact G |]]. intros r H. set (t := exact l) in *.
  destruct (Rle_or_lt (pow2 (wide_emin + wide_prec - 1)) (Rabs t)) as [N | N].
  - assert (Vt : value B t) by (apply B_errs; now apply generic_format_FLT_FLX).
    apply becomes_value in H; [| exact Vt]. destruct H as (u & [-> | [W' _]] & H); [| congruence].
    apply flushed_cost in H; lra.
  - apply becomes_cost in H. unfold rounding_cost in H. rewrite W in H.
    replace (ulp radix2 wide_fexp t) with (pow2 wide_emin) in H; [lra |].
    symmetry. apply ulp_FLT_small; [exact positive_wide_prec |]. apply Rlt_le_trans with (1 := N). apply bpow_le. lia.
Qed.

(** and never more than the whole cost of the largest that they may be. *)
Theorem charged_most : forall g l m, on g (exact l) -> Rabs (exact l) <= m -> charged becomes (on g) l (rounding_cost m).
Proof.
  intros g l m G L. pose proof (Rabs_pos (exact l)) as P. split; [apply rounding_cost_nonnegative; lra | split; [exact G |]].
  intros r H. apply becomes_cost in H. apply Rle_trans with (1 := H). rewrite <- rounding_cost_abs.
  now apply rounding_cost_monotone.
Qed.

(** ** Theorem A in these formats *)

Notation sum ls := (total (map exact ls)).
Notation within_spans g := (Forall2 (spans becomes (on g))).
Notation bound_of g M D := (bound M (on_cost g) D).

Theorem sum_bound_FLT : forall g ls ss T M D t n k r, is_grid g -> 0 <= D ->
  Permutation (leaves t) ls -> within_spans g ls ss -> Rabs (sum ls) <= T -> span_most ss T <= M ->
  (k <= n)%nat -> n = 0%nat \/ narrowing_cost (M + bound_of g M D ss n) <= D ->
  runs becomes narrows t k r -> Rabs (r - sum ls) <= bound_of g M D ss n.
Proof.
  intros g ls ss T M D t n k r I HD P S HT HM Hk HN H.
  exact (sum_bound becomes narrows M (on_cost g) narrowing_cost becomes_again narrows_again becomes_zero narrows_zero
    (on g) (on_plus g) (becomes_on g) (narrows_on g) (fun s u => becomes_err g s u I) (on_cost_nonnegative g)
    (on_cost_monotone g) (fun s u _ => narrows_cost s u) narrowing_cost_monotone D HD ls ss T t n k r P S HT HM Hk HN H).
Qed.

Theorem parts_bound_FLT : forall g ls ss T M D t s n k r, is_grid g -> 0 <= D ->
  Permutation (leaves t) ls -> within_spans g ls ss -> Rabs (sum ls) <= T -> span_most ss T <= M ->
  (k <= n)%nat -> n = 0%nat \/ narrowing_cost (M + bound_of g M D ss n) <= D ->
  part_of s t -> runs becomes narrows s k r -> Rabs r <= M + bound_of g M D ss n.
Proof.
  intros g ls ss T M D t s n k r I HD P S HT HM Hk HN Hs H.
  exact (parts_bound becomes narrows M (on_cost g) narrowing_cost becomes_again narrows_again becomes_zero narrows_zero
    (on g) (on_plus g) (becomes_on g) (narrows_on g) (fun s u => becomes_err g s u I) (on_cost_nonnegative g)
    (on_cost_monotone g) (fun s u _ => narrows_cost s u) narrowing_cost_monotone D HD ls ss T t s n k r P S HT HM Hk HN Hs H).
Qed.

(** Paths without narrowing and flush are among them. *)
Lemma rounds_becomes : forall t r, rounds B t r -> becomes t r.
Proof. intros t r H. exists r, r. repeat split; auto; now left. Qed.

Lemma evaluates_becomes : forall t r, evaluates B t r -> runs becomes narrows t 0 r.
Proof.
  intros t r H. apply (runs_more (rounds B) becomes narrows narrows); auto using rounds_becomes, evaluates_runs.
Qed.

End Formats.

(** ** The sums of [Trees.v] *)

Lemma exact_leaves : forall b ts, map exact (leaves_of b ts) = b :: products ts.
Proof.
  intros b ts. unfold leaves_of, products. cbn [map exact]. f_equal. rewrite map_map. apply map_ext. now intros [w x].
Qed.

Section Plain.

Variables emin prec : Z.
Hypothesis prec_positive : (0 < prec)%Z.
Hypothesis emin_one : (emin <= 0)%Z.

Variable B : arithmetic.
Variable rho : R.
Hypothesis rho_nonnegative : 0 <= rho.
Hypothesis B_errs : errs_by rho emin prec B.

Notation cost g := (on_cost emin prec emin prec rho 0 0 false g).

Lemma rounds_spans : forall grid ls ss, Forall2 (spans (rounds B) grid) ls ss ->
  Forall2 (spans (becomes B B 0 0 false) grid) ls ss.
Proof.
  intros grid. induction 1 as [| l s ls ss [L (C & G & H)] _ IH]; constructor; [| exact IH].
  split; [exact L | split; [exact C | split; [exact G |]]]. intros r (u & v & U & [-> | [W _]] & F); [| discriminate].
  apply H. destruct F as [-> | [F _]]; [exact U |]. unfold lost in F. pose proof (Rabs_pos u). lra.
Qed.

(** Every order, every contraction and every rounding of a neuron's sum, before it is narrowed; *)
Theorem sums_bound : forall g b ts ss T M r, is_grid emin 0 g ->
  Forall2 (spans (rounds B) (on g)) (leaves_of b ts) ss -> Rabs (b + total (products ts)) <= T -> span_most ss T <= M ->
  sums B b ts r -> Rabs (r - (b + total (products ts))) <= bound M (cost g) 0 ss 0.
Proof.
  intros g b ts ss T M r I S HT HM (t & P & H).
  assert (X : total (map exact (leaves_of b ts)) = b + total (products ts)).
  { now rewrite exact_leaves. }
  rewrite <- X in *.
  apply (sum_bound_FLT emin prec emin prec prec_positive (Z.le_refl _) (Z.le_refl _) emin_one B B rho rho_nonnegative
    B_errs B_errs 0 0 (Rle_refl _) (Rle_refl _) false g _ ss T M 0 t 0 0); auto using Rle_refl, rounds_spans.
  now apply evaluates_becomes.
Qed.

(** and after it: one more rounding of what is at most [M] and the bound. *)
Theorem neuron_bound : forall A storage_emin storage_prec g b ts ss T M r, (0 < storage_prec)%Z ->
  errs_by rho storage_emin storage_prec A -> is_grid emin 0 g ->
  Forall2 (spans (rounds B) (on g)) (leaves_of b ts) ss -> Rabs (b + total (products ts)) <= T ->
  T <= M -> span_most ss T <= M -> neuron A B b ts r ->
  let e := bound M (cost g) 0 ss 0 in
  Rabs (r - (b + total (products ts))) <= e + rho * ulp radix2 (FLT_exp storage_emin storage_prec) (M + e).
Proof.
  intros A storage_emin storage_prec g b ts ss T M r Hp A_errs I S HT TM HM (s & H & N) e.
  assert (K := sums_bound g b ts ss T M s I S HT HM H). fold e in K. apply A_errs in N.
  set (x := b + total (products ts)) in *.
  assert (Prec : Prec_gt_0 storage_prec) by exact Hp.
  assert (valid : Valid_exp (FLT_exp storage_emin storage_prec)) by now apply FLT_exp_valid.
  assert (U : ulp radix2 (FLT_exp storage_emin storage_prec) s <= ulp radix2 (FLT_exp storage_emin storage_prec) (M + e)).
  { apply ulp_le; [exact valid | now apply FLT_exp_monotone |].
    assert (Rabs s <= M + e).
    { replace s with (x + (s - x)) by ring. apply Rle_trans with (1 := Rabs_triang _ _). lra. }
    apply Rle_trans with (1 := H0). apply Rle_abs. }
  apply (Rmult_le_compat_l rho) in U; [| exact rho_nonnegative].
  replace (r - x) with (s - x + (r - s)) by ring. apply Rle_trans with (1 := Rabs_triang _ _). lra.
Qed.

(** On a grid it is R5: where positive and negative parts are within its reach, nothing is lost. *)
Corollary bound_contains_R5 : forall e b ts r, (emin <= e)%Z -> Forall (on_grid e) (b :: products ts) ->
  positives (b :: products ts) <= pow2 (prec + e) -> negatives (b :: products ts) <= pow2 (prec + e) ->
  sums B b ts r -> r = b + total (products ts).
Proof.
  intros e b ts r He G P N S.
  set (exactly := fun l => {| low := exact l; high := exact l; charge := 0 |}).
  assert (X := exact_leaves b ts).
  assert (Part : forall v, In v (b :: products ts) -> Rabs v <= pow2 (prec + e)).
  { intros v I. apply in_split in I. destruct I as (us & ws & Q). rewrite Q in P, N.
    change (v :: ws) with ([v] ++ ws) in *. rewrite !positives_app in P. rewrite !negatives_app in N.
    destruct (total_parts us) as (_ & ? & ?). destruct (total_parts ws) as (_ & ? & ?).
    unfold positives, negatives, positive_part in P, N. simpl in P, N.
    pose proof (Rmax_l v 0). pose proof (Rmax_l (- v) 0). unfold positives, negatives, positive_part in *.
    unfold Rabs. destruct Rcase_abs; lra. }
  assert (Sp : Forall2 (spans (rounds B) (on (Some e))) (leaves_of b ts) (map exactly (leaves_of b ts))).
  { assert (Y : Forall (fun l => In (exact l) (b :: products ts)) (leaves_of b ts)).
    { apply Forall_forall. intros l I. rewrite <- X. now apply in_map. }
    clear X S. induction Y as [| l ls I _ IH]; simpl; constructor; [| exact IH]. split; [simpl; lra |]. simpl.
    assert (Ge : on_grid e (exact l)) by now apply (proj1 (Forall_forall _ _) G).
    split; [lra | split; [exact Ge |]]. intros s H. rewrite (rounds_value_exact B (exact l) s); [| | exact H].
    - rewrite Rminus_diag_eq, Rabs_R0 by reflexivity. lra.
    - apply (reached_value emin prec prec_positive emin_one B rho B_errs e); auto. }
  assert (Mo : span_most (map exactly (leaves_of b ts)) (Rabs (b + total (products ts))) <= pow2 (prec + e)).
  { unfold span_most. apply Rle_trans with (1 := Rmin_l _ _).
    replace (span_positives _) with (positives (map exact (leaves_of b ts)))
      by (unfold positives, span_positives; now rewrite !map_map).
    replace (span_negatives _) with (negatives (map exact (leaves_of b ts)))
      by (unfold negatives, span_negatives; now rewrite !map_map).
    rewrite X. now apply Rmax_lub. }
  assert (K := sums_bound (Some e) b ts _ _ _ r (conj He (bpow_ge_0 _ _)) Sp (Rle_refl _) Mo S).
  assert (Z : bound (pow2 (prec + e)) (cost (Some e)) 0 (map exactly (leaves_of b ts)) 0 = 0).
  { unfold bound. simpl INR. replace (span_charge (map exactly (leaves_of b ts)) + 0 * 0) with 0.
    - induction (Nat.pred _) as [| k IH]; [easy |]. cbn [climb]. rewrite IH. simpl. destruct Rle_dec; lra.
    - unfold span_charge. rewrite map_map. simpl. rewrite total_zeros; [ring |].
      apply Forall_map, Forall_forall. now intros. }
  rewrite Z in K. revert K. unfold Rabs. destruct Rcase_abs; lra.
Qed.

End Plain.
