(** * Regions: where the boxes of a network are

    The evidence of a box network is a tree of cuts, or several, that name each box where its region is. If
    each box lies within its region and fills it, then the boxes around an input are those on its paths. *)

From Coq Require Import List Reals Lra Lia Bool Arith.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees Network Units Boxes.

Import ListNotations.
Open Scope R_scope.

(** ** Cuts *)

(** One side of a cut: [x column <= threshold], or [above] it. *)
Record cut := { cut_column : nat; threshold : R; above : bool }.

Definition low_cut (j : nat) (t : R) : cut := {| cut_column := j; threshold := t; above := false |}.
Definition high_cut (j : nat) (t : R) : cut := {| cut_column := j; threshold := t; above := true |}.

Definition satisfies (x : nat -> R) (q : cut) : bool :=
  if Rle_dec (x (cut_column q)) (threshold q) then negb (above q) else above q.

(** Both are asked at a value of the column that they look at. *)
Definition beyond (q : cut) (v : R) : Prop := satisfies (fun _ => v) q = false.
Definition excludes (units : sides) (t : nat * R) (v : R) : Prop := met units (fun _ => v) t = false.

(** [Overlap]: beyond each cut there is nothing of the box, since one of its sides excludes what is there. *)
Definition lies_within (A : arithmetic) (units : sides) (c : cell) (region : list cut) : Prop :=
  forall q, In q region -> exists t, In t (weights c) /\ column (units (fst t)) = cut_column q /\
    forall v, value A v -> beyond q v -> excludes units t v.

(** [Unfilled]: no side of the box excludes anything else than what is beyond a cut. *)
Definition fills (A : arithmetic) (units : sides) (c : cell) (region : list cut) : Prop :=
  forall t, In t (weights c) -> exists q, In q region /\ column (units (fst t)) = cut_column q /\
    forall v, value A v -> excludes units t v -> beyond q v.

Lemma beyond_satisfies : forall q x, beyond q (x (cut_column q)) = (satisfies x q = false).
Proof. easy. Qed.

Lemma excludes_met : forall units t x,
  excludes units t (x (column (units (fst t)))) = (met units x t = false).
Proof. easy. Qed.

Lemma inside_region : forall A units c region x, lies_within A units c region -> every_input A x ->
  inside units c x = true -> forallb (satisfies x) region = true.
Proof.
  intros A units c region x L V I. apply forallb_forall. intros q Q.
  destruct (satisfies x q) eqn:S; trivial. destruct (L q Q) as (t & T & C & E).
  rewrite <- beyond_satisfies in S. specialize (E _ (V (cut_column q)) S). rewrite <- C, excludes_met in E.
  unfold inside in I. rewrite forallb_forall in I. now rewrite (I t T) in E.
Qed.

Lemma region_inside : forall A units c region x, fills A units c region -> every_input A x ->
  forallb (satisfies x) region = true -> inside units c x = true.
Proof.
  intros A units c region x F V S. unfold inside. apply forallb_forall. intros t T.
  destruct (met units x t) eqn:M; trivial. destruct (F t T) as (q & Q & C & E).
  rewrite <- excludes_met in M. specialize (E _ (V _) M). rewrite C, beyond_satisfies in E.
  rewrite forallb_forall in S. now rewrite (S q Q) in E.
Qed.

(** ** Separators *)

(** A tree of cuts. [Box b] is a region that holds box [b] and no other one; [Nested b s] holds [b] and what
    [s] holds. *)
Inductive separator :=
| Box (b : nat)
| Empty
| Nested (b : nat) (s : separator)
| Split (j : nat) (t : R) (low high : separator).

(** The boxes that it names. *)
Fixpoint named (s : separator) : list nat :=
  match s with
  | Box b => [b]
  | Empty => []
  | Nested b s => b :: named s
  | Split _ _ low high => named low ++ named high
  end.

(** The boxes on the path of an input. *)
Fixpoint path (s : separator) (x : nat -> R) : list nat :=
  match s with
  | Box b => [b]
  | Empty => []
  | Nested b s => b :: path s x
  | Split j t low high => if Rle_dec (x j) t then path low x else path high x
  end.

(** The boxes with their regions: the cuts above them, after those of [region]. *)
Fixpoint placed (s : separator) (region : list cut) : list (nat * list cut) :=
  match s with
  | Box b => [(b, region)]
  | Empty => []
  | Nested b s => (b, region) :: placed s region
  | Split j t low high =>
      placed low (low_cut j t :: region) ++ placed high (high_cut j t :: region)
  end.

Lemma placed_region : forall s region b r, In (b, r) (placed s region) -> incl region r.
Proof.
  induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros region b' r H.
  - destruct H as [H | []]. injection H as _ <-. apply incl_refl.
  - destruct H.
  - destruct H as [H | H]; [injection H as _ <-; apply incl_refl | now apply IH with b'].
  - apply in_app_or in H. destruct H as [H | H]; [apply IHl in H | apply IHh in H];
      now apply incl_cons_inv in H.
Qed.

Lemma placed_named : forall s region b r, In (b, r) (placed s region) -> In b (named s).
Proof.
  induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros region b' r H.
  - destruct H as [H | []]. injection H as <- _. now left.
  - destruct H.
  - destruct H as [H | H]; [injection H as <- _; now left | right; now apply IH in H].
  - apply in_or_app. apply in_app_or in H.
    destruct H as [H | H]; [left; now apply IHl in H | right; now apply IHh in H].
Qed.

(** The boxes on the path of an input are those in whose region it is. *)
Lemma path_placed : forall s region x b, forallb (satisfies x) region = true -> In b (path s x) ->
  exists r, In (b, r) (placed s region) /\ forallb (satisfies x) r = true.
Proof.
  induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros region x b' S H.
  - destruct H as [<- | []]. exists region. auto.
  - destruct H.
  - destruct H as [<- | H]; [exists region; auto |].
    destruct (IH region x b' S H) as (r & I & R). exists r. auto.
  - destruct (Rle_dec (x j) t) as [L | L].
    + edestruct (IHl (low_cut j t :: region) x b') as (r & I & R); trivial.
      * cbn [forallb]. rewrite S. unfold satisfies. simpl. destruct (Rle_dec (x j) t); [easy | lra].
      * exists r. split; trivial. apply in_or_app. now left.
    + edestruct (IHh (high_cut j t :: region) x b') as (r & I & R); trivial.
      * cbn [forallb]. rewrite S. unfold satisfies. simpl. destruct (Rle_dec (x j) t); [lra | easy].
      * exists r. split; trivial. apply in_or_app. now right.
Qed.

Lemma placed_path : forall s region x b r,
  In (b, r) (placed s region) -> forallb (satisfies x) r = true -> In b (path s x).
Proof.
  induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros region x b' r H S.
  - destruct H as [H | []]. injection H as <- _. now left.
  - destruct H.
  - destruct H as [H | H]; [injection H as <- _; now left |]. right. now apply IH with region r.
  - apply in_app_or in H. pose proof S as S'. rewrite forallb_forall in S'. destruct H as [H | H].
    + pose proof (S' _ (placed_region _ _ _ _ H _ (or_introl eq_refl))) as Q.
      unfold satisfies in Q. simpl in Q. destruct (Rle_dec (x j) t); [| discriminate].
      eapply IHl; eassumption.
    + pose proof (S' _ (placed_region _ _ _ _ H _ (or_introl eq_refl))) as Q.
      unfold satisfies in Q. simpl in Q. destruct (Rle_dec (x j) t); [discriminate |].
      eapply IHh; eassumption.
Qed.

(** Every box that the separator names lies within its region, and fills it. *)
Definition separates (A : arithmetic) (units : sides) (box : nat -> cell) (s : separator) : Prop :=
  forall b r, In (b, r) (placed s []) -> lies_within A units (box b) r /\ fills A units (box b) r.

(** Then an input is inside exactly those boxes of the separator that are on its path. *)
Theorem separator_path : forall A units box s x, separates A units box s -> every_input A x ->
  forall b, In b (path s x) <-> In b (named s) /\ inside units (box b) x = true.
Proof.
  assert (P : forall s region b, In b (named s) -> exists r, In (b, r) (placed s region)).
  { induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros region b' H.
    - destruct H as [<- | []]. exists region. auto.
    - destruct H.
    - destruct H as [<- | H]; [exists region; auto |]. destruct (IH region b' H) as (r & I). exists r. auto.
    - apply in_app_or in H. destruct H as [H | H].
      + edestruct IHl as (r & I); [exact H |]. exists r. apply in_or_app. left. exact I.
      + edestruct IHh as (r & I); [exact H |]. exists r. apply in_or_app. right. exact I. }
  intros A units box s x S V b. split.
  - intros H. destruct (path_placed s [] x b eq_refl H) as (r & I & R). split.
    { now apply placed_named in I. }
    apply region_inside with A r; trivial. now apply S.
  - intros [H I]. destruct (P s [] b H) as (r & Q). apply placed_path with [] r; trivial.
    apply inside_region with A units (box b); trivial. now apply S.
Qed.

(** ** Several separators *)

Lemma NoDup_app : forall (T : Type) (k l : list T),
  NoDup (k ++ l) <-> NoDup k /\ NoDup l /\ forall t, In t k -> ~ In t l.
Proof.
  intros T k l. induction k as [| t k IH]; simpl.
  - split; [intros H; split; [constructor | split; trivial; now intros] | now intros (_ & H & _)].
  - rewrite !NoDup_cons_iff, IH, in_app_iff. split.
    + intros (N & K & L & D). repeat split; auto. intros v [-> | I]; auto.
    + intros ((N & K) & L & D). repeat split; auto. intros [I | I]; [auto | now apply (D t); [left |]].
Qed.

Lemma path_named : forall s x, incl (path s x) (named s).
Proof.
  induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros x v H; trivial.
  - destruct H as [<- | H]; [now left | right; now apply (IH x)].
  - apply in_or_app. destruct (Rle_dec (x j) t); [left; now apply (IHl x) | right; now apply (IHh x)].
Qed.

(** The boxes on the paths down all trees. *)
Definition paths (ss : list separator) (x : nat -> R) : list nat := flat_map (fun s => path s x) ss.
Definition all_named (ss : list separator) : list nat := flat_map named ss.

Lemma paths_named : forall ss x, incl (paths ss x) (all_named ss).
Proof.
  intros ss x b H. apply in_flat_map in H. destruct H as (s & S & H). apply in_flat_map.
  exists s. split; trivial. now apply (path_named s x).
Qed.

(** [BoxRegions]: if each box is named once, then it is once on the paths, if at all. *)
Lemma paths_NoDup : forall ss x, NoDup (all_named ss) -> NoDup (paths ss x).
Proof.
  assert (P : forall s x, NoDup (named s) -> NoDup (path s x)).
  { induction s as [b | | b s IH | j t low IHl high IHh]; simpl; intros x N; trivial.
    - rewrite NoDup_cons_iff in *. destruct N as [N M]. split; [| auto].
      intros I. now apply N, (path_named s x).
    - apply NoDup_app in N. destruct N as (Nl & Nh & _). destruct (Rle_dec (x j) t); auto. }
  intros ss x. induction ss as [| s ss IH]; simpl; [constructor |]. intros N. apply NoDup_app in N.
  destruct N as (N & M & D). apply NoDup_app. repeat split; auto. intros b I J.
  apply (D b); [now apply (path_named s x) | now apply (paths_named ss x)].
Qed.

(** The boxes around an input are those on its paths. *)
Theorem paths_inside : forall A units box ss x,
  (forall s, In s ss -> separates A units box s) -> every_input A x ->
  forall b, In b (paths ss x) <-> In b (all_named ss) /\ inside units (box b) x = true.
Proof.
  intros A units box ss x S V b. unfold paths, all_named. rewrite !in_flat_map. split.
  - intros (s & I & P). apply (separator_path A units box s x) in P; auto. destruct P as [N P].
    split; trivial. now exists s.
  - intros ((s & I & N) & P). exists s. split; trivial. apply (separator_path A units box s x); auto.
Qed.

(** ** Decision trees *)

(** [x j <= t] goes to the lower side; a leaf has a label for every output. *)
Inductive decision :=
| Answer (label : nat -> R)
| Decide (j : nat) (t : R) (low high : decision).

Fixpoint decides (d : decision) (x : nat -> R) : nat -> R :=
  match d with
  | Answer label => label
  | Decide j t low high => if Rle_dec (x j) t then decides low x else decides high x
  end.

(** The labels of the leaves, in preorder. *)
Fixpoint answers (d : decision) : list (nat -> R) :=
  match d with
  | Answer label => [label]
  | Decide _ _ low high => answers low ++ answers high
  end.

(** Its regions: leaf [i] is that of box [k + i]. *)
Fixpoint regions_of (d : decision) (k : nat) : separator :=
  match d with
  | Answer _ => Box k
  | Decide j t low high => Split j t (regions_of low k) (regions_of high (k + length (answers low)))
  end.

Lemma regions_named : forall d k, named (regions_of d k) = seq k (length (answers d)).
Proof.
  induction d as [label | j t low IHl high IHh]; intros k; simpl; trivial.
  now rewrite IHl, IHh, app_length, seq_app.
Qed.

(** Every input is on the path to one leaf, whose label is the value of the tree. *)
Lemma regions_path : forall d k x,
  exists i, path (regions_of d k) x = [k + i]%nat /\ nth_error (answers d) i = Some (decides d x).
Proof.
  induction d as [label | j t low IHl high IHh]; intros k x; simpl.
  - exists 0%nat. now rewrite Nat.add_0_r.
  - destruct (Rle_dec (x j) t).
    + destruct (IHl k x) as (i & P & N). exists i. split; trivial. rewrite nth_error_app1; trivial.
      apply nth_error_Some. now rewrite N.
    + destruct (IHh (k + length (answers low))%nat x) as (i & P & N). exists (length (answers low) + i)%nat.
      split; [rewrite P; f_equal; lia |]. rewrite nth_error_app2 by lia. rewrite <- N. f_equal. lia.
Qed.

(** The regions of the leaves cover all inputs and are disjoint: each input is in one and in no other. *)
Theorem leaf_regions_partition : forall d k x, exists b,
  (exists r, In (b, r) (placed (regions_of d k) []) /\ forallb (satisfies x) r = true) /\
  (forall b' r, In (b', r) (placed (regions_of d k) []) -> forallb (satisfies x) r = true -> b' = b).
Proof.
  intros d k x. destruct (regions_path d k x) as (i & P & _). exists (k + i)%nat. split.
  - apply path_placed; trivial. rewrite P. now left.
  - intros b' r I S. apply placed_path with (x := x) in I; trivial. rewrite P in I.
    now destruct I as [<- | []].
Qed.
