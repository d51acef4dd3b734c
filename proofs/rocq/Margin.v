(** * The margin: a linear form of what a network gives, from below, on every path

    Each number that an audit speaks of is a unit: an input, or a neuron with a sum [z] and what is made of it, [h]; where
    readers may see copies of their own, each copy is a unit. For any multipliers [lambda] and any references [h0] and
    [z0], a linear form of the [h] is at least what it is at the references, less what rounding, activations and inputs may
    take away: weak duality. Nothing is asked of the order of the units, so that skips, convolutions and shared weights
    need no case of their own; and nothing of [lambda], so that it is no evidence. *)

From Coq Require Import List Permutation Reals Lra Lia.
From Roundproof Require Import Trees Sums SumBound.

Import ListNotations.
Open Scope R_scope.

(** ** Sums over units *)

Section Sigma.

Context {I : Type}.

Definition sigma (l : list I) (f : I -> R) : R := total (map f l).

Lemma sigma_plus : forall l f g, sigma l (fun i => f i + g i) = sigma l f + sigma l g.
Proof. intros l f g. unfold sigma. induction l as [| i l IH]; simpl; lra. Qed.

Lemma sigma_scale : forall l a f, sigma l (fun i => a * f i) = a * sigma l f.
Proof. intros l a f. unfold sigma. induction l as [| i l IH]; simpl; lra. Qed.

Lemma sigma_ext : forall l f g, (forall i, In i l -> f i = g i) -> sigma l f = sigma l g.
Proof. intros l f g H. unfold sigma. f_equal. now apply map_ext_in. Qed.

Lemma sigma_le : forall l f g, (forall i, In i l -> f i <= g i) -> sigma l f <= sigma l g.
Proof.
  intros l f g. unfold sigma. induction l as [| i l IH]; intros H; simpl; [lra |].
  pose proof (H i (or_introl eq_refl)). pose proof (IH (fun j J => H j (or_intror J))). lra.
Qed.

Lemma sigma_app : forall l k f, sigma (l ++ k) f = sigma l f + sigma k f.
Proof. intros l k f. unfold sigma. now rewrite map_app, total_app. Qed.

Lemma sigma_zero : forall l f, (forall i, In i l -> f i = 0) -> sigma l f = 0.
Proof. intros l f H. apply total_zeros, Forall_map, Forall_forall. exact H. Qed.

Lemma sigma_swap : forall l k f, sigma l (fun i => sigma k (fun j => f i j)) = sigma k (fun j => sigma l (fun i => f i j)).
Proof.
  intros l k f. induction l as [| i l IH].
  - symmetry. apply sigma_zero. now intros.
  - change (sigma k (f i) + sigma l (fun i => sigma k (f i)) = sigma k (fun j => f i j + sigma l (fun i => f i j))).
    rewrite sigma_plus. f_equal. exact IH.
Qed.

(** One unit out of all. *)
Lemma sigma_one : forall (eq_dec : forall i j : I, {i = j} + {i <> j}) l a f, NoDup l -> In a l ->
  sigma l (fun j => (if eq_dec j a then 1 else 0) * f j) = f a.
Proof.
  intros eq_dec l a f. induction 1 as [| i l N _ IH]; intros A; [easy |].
  change (sigma (i :: l) ?g) with (g i + sigma l g). cbv beta. destruct (eq_dec i a) as [-> | E].
  - rewrite sigma_zero; [ring |]. intros j J. destruct (eq_dec j a) as [-> | _]; [easy | ring].
  - destruct A as [A | A]; [easy |]. rewrite IH by exact A. ring.
Qed.

End Sigma.

(** ** Weak duality *)

Section Margin.

Context {I : Type}.
Variables inputs neurons : list I.
Notation units := (inputs ++ neurons).

(** What a path does: the numbers, the weights that it uses, which may be intervals to whoever bounds it, and by how much
    the sums are off. *)
Variables h z bias off : I -> R.
Variable weight : I -> I -> R.
Hypothesis sums_of : forall i, In i neurons -> z i = sigma units (fun j => weight i j * h j) + bias i + off i.

(** The form, multipliers and references: any. *)
Variables form lambda h0 z0 : I -> R.

(** What is passed back to a unit by all that read it, and what the references miss in a sum. *)
Definition passed (j : I) : R := form j + sigma neurons (fun i => lambda i * weight i j).
Definition missed (i : I) : R := sigma units (fun j => weight i j * h0 j) + bias i - z0 i.

Lemma duality : sigma units (fun j => form j * h j) =
  sigma units (fun j => form j * h0 j) + sigma neurons (fun i => lambda i * missed i + lambda i * off i)
  + sigma inputs (fun j => passed j * (h j - h0 j))
  + sigma neurons (fun i => passed i * (h i - h0 i) - lambda i * (z i - z0 i)).
Proof.
  assert (S : forall i, In i neurons ->
    lambda i * (z i - z0 i) =
      sigma units (fun j => lambda i * weight i j * (h j - h0 j)) + (lambda i * missed i + lambda i * off i)).
  { intros i N. unfold missed. rewrite (sums_of i N).
    replace (sigma units (fun j => lambda i * weight i j * (h j - h0 j)))
      with (lambda i * sigma units (fun j => weight i j * h j) + - lambda i * sigma units (fun j => weight i j * h0 j));
      [ring |].
    rewrite <- !sigma_scale, <- sigma_plus. apply sigma_ext. intros j _. ring. }
  assert (P : sigma units (fun j => passed j * (h j - h0 j)) =
    sigma units (fun j => form j * h j) - sigma units (fun j => form j * h0 j)
    + sigma neurons (fun i => sigma units (fun j => lambda i * weight i j * (h j - h0 j)))).
  { rewrite sigma_swap.
    replace (sigma units (fun j => form j * h j) - sigma units (fun j => form j * h0 j))
      with (sigma units (fun j => form j * h j) + -1 * sigma units (fun j => form j * h0 j)) by ring.
    rewrite <- sigma_scale, <- !sigma_plus. apply sigma_ext. intros j _. unfold passed.
    replace (sigma neurons (fun i => lambda i * weight i j * (h j - h0 j)))
      with ((h j - h0 j) * sigma neurons (fun i => lambda i * weight i j)); [ring |].
    rewrite <- sigma_scale. apply sigma_ext. intros i _. ring. }
  assert (Q : sigma neurons (fun i => passed i * (h i - h0 i) - lambda i * (z i - z0 i)) =
    sigma neurons (fun i => passed i * (h i - h0 i)) + -1 * sigma neurons (fun i => lambda i * (z i - z0 i))).
  { rewrite <- sigma_scale, <- sigma_plus. apply sigma_ext. intros i _. ring. }
  assert (W : sigma neurons (fun i => lambda i * (z i - z0 i)) =
    sigma neurons (fun i => sigma units (fun j => lambda i * weight i j * (h j - h0 j)))
    + sigma neurons (fun i => lambda i * missed i + lambda i * off i)).
  { rewrite <- sigma_plus. now apply sigma_ext. }
  rewrite (sigma_app inputs neurons (fun j => passed j * (h j - h0 j))) in P. lra.
Qed.

(** What is known of every path: [radius], how far its sums are off; [multiplier], in place of what is passed back, with
    [slack] for the difference; [miss] and [least], from below. *)
Variables radius multiplier slack miss least : I -> R.

Definition margin : R :=
  sigma units (fun j => form j * h0 j) + sigma inputs (fun j => least j - slack j)
  + sigma neurons (fun i => miss i - Rabs (lambda i) * radius i + least i - slack i).

Theorem margin_bound :
  (forall i, In i neurons -> Rabs (off i) <= radius i) ->
  (forall i, In i neurons -> miss i <= lambda i * missed i) ->
  (forall j, In j units -> Rabs (passed j - multiplier j) * Rabs (h j - h0 j) <= slack j) ->
  (forall j, In j inputs -> least j <= multiplier j * (h j - h0 j)) ->
  (forall i, In i neurons -> least i <= multiplier i * (h i - h0 i) - lambda i * (z i - z0 i)) ->
  margin <= sigma units (fun j => form j * h j).
Proof.
  intros Off Miss Slack Inp Neu. rewrite duality. unfold margin.
  assert (K : forall j, In j units -> multiplier j * (h j - h0 j) - slack j <= passed j * (h j - h0 j)).
  { intros j J. specialize (Slack j J). rewrite <- Rabs_mult in Slack.
    pose proof (Rle_abs (- ((passed j - multiplier j) * (h j - h0 j)))) as A. rewrite Rabs_Ropp in A. lra. }
  assert (A : sigma inputs (fun j => least j - slack j) <= sigma inputs (fun j => passed j * (h j - h0 j))).
  { apply sigma_le. intros j J. specialize (K j (in_or_app _ _ _ (or_introl J))). specialize (Inp j J). lra. }
  assert (B : sigma neurons (fun i => miss i - Rabs (lambda i) * radius i + least i - slack i) <=
    sigma neurons (fun i => lambda i * missed i + lambda i * off i)
    + sigma neurons (fun i => passed i * (h i - h0 i) - lambda i * (z i - z0 i))).
  { rewrite <- sigma_plus. apply sigma_le. intros i J. specialize (K i (in_or_app _ _ _ (or_intror J))).
    specialize (Neu i J). specialize (Miss i J). specialize (Off i J).
    assert (L : Rabs (lambda i * off i) <= Rabs (lambda i) * radius i).
    { rewrite Rabs_mult. apply Rmult_le_compat_l; [apply Rabs_pos | exact Off]. }
    pose proof (Rle_abs (- (lambda i * off i))) as U. rewrite Rabs_Ropp in U. lra. }
  lra.
Qed.

End Margin.

(** The form of a decision: one unit less another. *)
Definition difference {I : Type} (eq_dec : forall i j : I, {i = j} + {i <> j}) (a b j : I) : R :=
  (if eq_dec j a then 1 else 0) - (if eq_dec j b then 1 else 0).

Lemma difference_form : forall (I : Type) (eq_dec : forall i j : I, {i = j} + {i <> j}) l a b (h : I -> R),
  NoDup l -> In a l -> In b l -> sigma l (fun j => difference eq_dec a b j * h j) = h a - h b.
Proof.
  intros I eq_dec l a b h N A B. rewrite <- (sigma_one eq_dec l a h N A), <- (sigma_one eq_dec l b h N B).
  set (is := fun b j : I => (if eq_dec j b then 1 else 0) * h j).
  change (sigma l (fun j => difference eq_dec a b j * h j) = sigma l (is a) - sigma l (is b)).
  replace (sigma l (is a) - sigma l (is b)) with (sigma l (is a) + -1 * sigma l (is b)) by ring.
  rewrite <- sigma_scale, <- sigma_plus. apply sigma_ext. intros j _. unfold difference, is. ring.
Qed.

(** ** The least over a band

    An activation [phi] of a sum, rounded: [h] is within [eta] of [phi z], and both are within their bounds. *)

Definition affine (f : R -> R) (a b : R) : Prop := exists p q, forall x, a <= x <= b -> f x = p * x + q.

(** Between two places of [breaks], [f] is affine. *)
Definition affine_off (breaks : list R) (a b : R) (f : R -> R) : Prop :=
  forall x y, a <= x -> x <= y -> y <= b -> (forall k, In k breaks -> ~ x < k < y) -> affine f x y.

Lemma affine_least : forall f a b x m, affine f a b -> a <= x <= b -> m <= f a -> m <= f b -> m <= f x.
Proof.
  intros f a b x m (p & q & H) X A B. rewrite H in * by lra. destruct (Rle_or_lt 0 p); nra.
Qed.

(** The nearest place on each side of [x]. *)
Lemma nearest_breaks : forall breaks a b x, a <= x <= b -> exists c d, a <= c <= x /\ x <= d <= b /\
  (c = a \/ In c breaks) /\ (d = b \/ In d breaks) /\ forall k, In k breaks -> ~ c < k < d.
Proof.
  intros breaks a b x X. induction breaks as [| k l (c & d & Hc & Hd & Ic & Id & N)].
  - exists a, b. repeat split; try lra; auto.
  - destruct (Rle_or_lt k x) as [L | L].
    + exists (Rmax c k), d. assert (M := Rmax_l c k). assert (M' := Rmax_r c k). repeat split; try lra.
      * apply Rmax_lub; lra.
      * unfold Rmax. destruct Rle_dec; [right; now left | destruct Ic; [now left | right; now right]].
      * destruct Id; [now left | right; now right].
      * intros j [<- | J]; [lra |]. specialize (N j J). lra.
    + exists c, (Rmin d k). assert (M := Rmin_l d k). assert (M' := Rmin_r d k). repeat split; try lra.
      * apply Rmin_glb; lra.
      * destruct Ic; [now left | right; now right].
      * unfold Rmin. destruct Rle_dec; [destruct Id; [now left | right; now right] | right; now left].
      * intros j [<- | J]; [lra |]. specialize (N j J). lra.
Qed.

Lemma breaks_least : forall breaks f a b m, affine_off breaks a b f ->
  (forall x, In x (a :: b :: breaks) -> a <= x <= b -> m <= f x) -> forall x, a <= x <= b -> m <= f x.
Proof.
  intros breaks f a b m A H x X. destruct (nearest_breaks breaks a b x X) as (c & d & Hc & Hd & Ic & Id & N).
  apply (affine_least f c d); try lra.
  - apply A; auto; lra.
  - apply H; [destruct Ic as [-> | Ic]; [now left | right; now right] | lra].
  - apply H; [destruct Id as [-> | Id]; [right; now left | right; now right] | lra].
Qed.

Section Band.

Variable phi : R -> R.
Variables eta zl zh hl hh nu lambda : R.

(** The edge of the band on which the least lies. *)
Definition edge (z : R) : R := if Rle_dec 0 nu then Rmax hl (phi z - eta) else Rmin hh (phi z + eta).

Theorem band_least : forall breaks m,
  affine_off breaks zl zh (fun z => Rmax hl (phi z - eta)) -> affine_off breaks zl zh (fun z => Rmin hh (phi z + eta)) ->
  (forall z, In z (zl :: zh :: breaks) -> zl <= z <= zh -> m <= nu * edge z - lambda * z) ->
  forall z h, zl <= z <= zh -> hl <= h <= hh -> Rabs (h - phi z) <= eta -> m <= nu * h - lambda * z.
Proof.
  intros breaks m Low High H z h Z Hh He.
  assert (B : phi z - eta <= h <= phi z + eta) by (revert He; unfold Rabs; destruct Rcase_abs; lra).
  apply Rle_trans with (nu * edge z - lambda * z).
  - revert z Z h Hh He B. enough (forall z, zl <= z <= zh -> m <= nu * edge z - lambda * z) by auto.
    apply (breaks_least breaks (fun z => nu * edge z - lambda * z)); [| exact H].
    intros x y X Y U N. unfold edge. destruct (Rle_dec 0 nu).
    + destruct (Low x y X Y U N) as (p & q & E). exists (nu * p - lambda), (nu * q). intros v V. rewrite E by exact V. ring.
    + destruct (High x y X Y U N) as (p & q & E). exists (nu * p - lambda), (nu * q). intros v V. rewrite E by exact V. ring.
  - unfold edge. destruct (Rle_dec 0 nu) as [P | P].
    + assert (Rmax hl (phi z - eta) <= h) by (apply Rmax_lub; lra). nra.
    + assert (h <= Rmin hh (phi z + eta)) by (apply Rmin_glb; lra). nra.
Qed.

End Band.

(** An activation of finitely many lines [s * z + t], that changes from one to another at its kinks alone. *)
Definition of_lines (kinks : list R) (lines : list (R * R)) (phi : R -> R) : Prop :=
  forall x y, x <= y -> (forall k, In k kinks -> ~ x < k < y) ->
  exists s t, In (s, t) lines /\ forall v, x <= v <= y -> phi v = s * v + t.

(** Where it breaks within a band: at its kinks, and where a line meets a bound. *)
Definition band_breaks (kinks : list R) (lines : list (R * R)) (eta hl hh : R) : list R :=
  kinks ++ flat_map (fun '(s, t) => [(hl + eta - t) / s; (hh - eta - t) / s]) lines.

(** A line has one sign where it does not meet 0. *)
Lemma line_sign : forall s c x y, x <= y -> (s = 0 \/ ~ x < c / s < y) ->
  (forall v, x <= v <= y -> s * v - c <= 0) \/ (forall v, x <= v <= y -> 0 <= s * v - c).
Proof.
  intros s c x y L K. destruct (Req_dec s 0) as [-> | S].
  - destruct (Rle_or_lt c 0); [right | left]; intros v V; lra.
  - destruct K as [K | K]; [easy |]. assert (C : c = s * (c / s)) by now field. set (k := c / s) in *.
    destruct (Rle_or_lt s 0), (Rle_or_lt k x); [left | | right |]; try (intros v V; nra).
    + right. intros v V. assert (y <= k) by lra. nra.
    + left. intros v V. assert (y <= k) by lra. nra.
Qed.

(** With these breaks, [band_least] looks at finitely many places. *)
Theorem lines_affine : forall kinks lines phi eta zl zh hl hh, of_lines kinks lines phi ->
  let breaks := band_breaks kinks lines eta hl hh in
  affine_off breaks zl zh (fun z => Rmax hl (phi z - eta)) /\ affine_off breaks zl zh (fun z => Rmin hh (phi z + eta)).
Proof.
  intros kinks lines phi eta zl zh hl hh Ph breaks.
  assert (Meets : forall s t k x y, In (s, t) lines -> (k = (hl + eta - t) / s \/ k = (hh - eta - t) / s) ->
    (forall k, In k breaks -> ~ x < k < y) -> ~ x < k < y).
  { intros s t k x y J K N. apply N, in_or_app. right. apply in_flat_map. exists (s, t). split; [exact J |].
    destruct K as [-> | ->]; simpl; auto. }
  split; intros x y _ L _ N; (destruct (Ph x y L) as (s & t & J & E); [intros k K; apply N, in_or_app; now left |]).
  - destruct (line_sign s (hl + eta - t) x y L) as [C | C]; [right; apply (Meets s t); auto | |].
    + exists 0, hl. intros v V. specialize (C v V). rewrite E by exact V. rewrite Rmax_left; lra.
    + exists s, (t - eta). intros v V. specialize (C v V). rewrite E by exact V. rewrite Rmax_right; lra.
  - destruct (line_sign s (hh - eta - t) x y L) as [C | C]; [right; apply (Meets s t); auto | |].
    + exists s, (t + eta). intros v V. specialize (C v V). rewrite E by exact V. rewrite Rmin_right; lra.
    + exists 0, hh. intros v V. specialize (C v V). rewrite E by exact V. rewrite Rmin_left; lra.
Qed.

(** ReLU for the slope 0, LeakyReLU, and identity for 1. *)
Definition leaky (alpha z : R) : R := if Rle_dec 0 z then z else alpha * z.

Lemma leaky_of_lines : forall alpha, of_lines [0] [(1, 0); (alpha, 0)] (leaky alpha).
Proof.
  intros alpha x y L N. specialize (N 0 (or_introl eq_refl)). destruct (Rle_or_lt 0 x).
  - exists 1, 0. split; [now left |]. intros v V. unfold leaky. destruct Rle_dec; lra.
  - exists alpha, 0. split; [right; now left |]. intros v V. unfold leaky. destruct (Rle_dec 0 v) as [P | P]; [| ring].
    replace v with 0 by lra. ring.
Qed.

Definition clip (lo hi z : R) : R := Rmax lo (Rmin hi z).

Lemma clip_of_lines : forall lo hi, lo <= hi -> of_lines [lo; hi] [(0, lo); (1, 0); (0, hi)] (clip lo hi).
Proof.
  intros lo hi O x y L N. pose proof (N lo (or_introl eq_refl)) as A. pose proof (N hi (or_intror (or_introl eq_refl))) as B.
  destruct (Rle_or_lt hi x) as [H | H]; [| destruct (Rle_or_lt lo x) as [K | K]].
  - exists 0, hi. split; [now right; right; left |]. intros v V. unfold clip, Rmax, Rmin. repeat destruct Rle_dec; lra.
  - exists 1, 0. split; [now right; left |]. intros v V. unfold clip, Rmax, Rmin. repeat destruct Rle_dec; lra.
  - exists 0, lo. split; [now left |]. intros v V. unfold clip, Rmax, Rmin. repeat destruct Rle_dec; lra.
Qed.

(** ** Units that are not activations of sums *)

(** The largest of some: to a multiplier that is not negative, any of them is as good from below. *)
Lemma maximum_least : forall nu z h z0 h0, 0 <= nu -> z <= h -> nu * (z0 - h0) <= nu * (h - h0) - nu * (z - z0).
Proof. intros nu z h z0 h0 P L. nra. Qed.

(** A product of two numbers that are both uncertain is a sum of the two, off by the product of their radii. *)
Lemma product_off : forall a b a0 b0 ra rb, Rabs (a - a0) <= ra -> Rabs (b - b0) <= rb ->
  Rabs (a * b - (b0 * a + a0 * b - a0 * b0)) <= ra * rb.
Proof.
  intros a b a0 b0 ra rb A B. replace (a * b - (b0 * a + a0 * b - a0 * b0)) with ((a - a0) * (b - b0)) by ring.
  rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos.
Qed.
