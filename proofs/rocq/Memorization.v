(** * Every data set can be memorized

    A tree compares an input with one row after the other, and so a network gives each row its label: a large
    one, but that there is one needs only that labels are a function of the first [k] columns. *)

From Coq Require Import ZArith List Reals Lra Lia Arith.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees Network Formats Units Boxes Regions BoxNetwork Theorems.
From Roundproof Require Import Construction.

Import ListNotations.
Open Scope R_scope.

(** ** A tree that looks rows up *)

(** [yes] where the first [k] columns are those of [x], [no] elsewhere. *)
Fixpoint compared (before : R -> R) (k : nat) (x : nat -> R) (yes no : decision) : decision :=
  match k with
  | 0%nat => yes
  | S j => Decide j (x j) (Decide j (before (x j)) no (compared before j x yes no)) no
  end.

Fixpoint lookup (before : R -> R) (k : nat) (data : rows) : decision :=
  match data with
  | [] => Answer (fun _ => 0)
  | (x, label) :: data => compared before k x (Answer label) (lookup before k data)
  end.

Lemma compared_same : forall A before k x yes no z, (forall j, adjacent A (before (x j)) (x j)) ->
  every_input A z -> (forall j, (j < k)%nat -> z j = x j) ->
  decides (compared before k x yes no) z = decides yes z.
Proof.
  intros A before k x yes no z N V. induction k as [| k IH]; intros H; [easy |]. simpl.
  rewrite (H k) by lia. destruct (N k) as (_ & _ & L & _).
  destruct (Rle_dec (x k) (x k)); [| lra]. destruct (Rle_dec (x k) (before (x k))); [lra |].
  apply IH. intros j J. apply H. lia.
Qed.

Lemma compared_other : forall A before k x yes no z, (forall j, adjacent A (before (x j)) (x j)) ->
  every_input A z -> ~ (forall j, (j < k)%nat -> z j = x j) ->
  decides (compared before k x yes no) z = decides no z.
Proof.
  intros A before k x yes no z N V. induction k as [| k IH]; intros H; [exfalso; apply H; lia |]. simpl.
  destruct (N k) as (_ & _ & L & G). destruct (Rle_dec (z k) (x k)) as [P | P]; trivial.
  destruct (Rle_dec (z k) (before (x k))) as [Q | Q]; trivial. apply IH. intros K. apply H. intros j J.
  destruct (Nat.eq_dec j k) as [-> | E]; [| apply K; lia]. destruct (G (z k) (V k)); lra.
Qed.

Lemma same_columns : forall k (x z : nat -> R),
  (forall j, (j < k)%nat -> z j = x j) \/ ~ (forall j, (j < k)%nat -> z j = x j).
Proof.
  intros k x z. induction k as [| k [IH | IH]]; [left; lia | |].
  2: { right. intros H. apply IH. intros j J. apply H. lia. }
  destruct (Req_EM_T (z k) (x k)) as [E | E]; [left | right; intros H; apply E, H; lia].
  intros j J. destruct (Nat.eq_dec j k) as [-> |]; trivial. apply IH. lia.
Qed.

(** Rows that agree in the first [k] columns have the same label in the first [m] outputs. *)
Definition function_of (k m : nat) (data : rows) : Prop :=
  forall x label x' label', In (x, label) data -> In (x', label') data ->
    (forall j, (j < k)%nat -> x j = x' j) -> forall o, (o < m)%nat -> label o = label' o.

Lemma lookup_label : forall A before k m data x label o,
  (forall x label, In (x, label) data -> every_input A x /\ forall j, adjacent A (before (x j)) (x j)) ->
  function_of k m data -> In (x, label) data -> (o < m)%nat -> decides (lookup before k data) x o = label o.
Proof.
  intros A before k m data x label o.
  induction data as [| (x', label') data IH]; intros V F I O; [destruct I |]. simpl.
  destruct (V _ _ (or_introl eq_refl)) as [V' N]. destruct (V _ _ I) as [Vx _].
  destruct (same_columns k x' x) as [E | E].
  - rewrite (compared_same A) by trivial. simpl.
    apply (F x' label' x label (or_introl eq_refl) I); trivial. intros. symmetry. now apply E.
  - rewrite (compared_other A) by trivial. destruct I as [I | I]; [injection I as -> ->; now elim E |].
    apply IH; trivial; [intros y l J; apply (V y l); now right |].
    intros y l y' l' J J'. apply F; now right.
Qed.

Lemma compared_thresholds : forall before k x yes no t, In t (thresholds (compared before k x yes no)) ->
  In t (thresholds yes) \/ In t (thresholds no) \/ exists j, t = x j \/ t = before (x j).
Proof.
  intros before k x yes no t. induction k as [| j IH]; simpl; [auto |].
  rewrite !in_app_iff. intros [<- | [<- | [[H | H] | H]]]; eauto 6.
Qed.

Lemma compared_answers : forall before k x yes no label, In label (answers (compared before k x yes no)) ->
  In label (answers yes) \/ In label (answers no).
Proof.
  intros before k x yes no label. induction k as [| j IH]; simpl; [auto |]. rewrite !in_app_iff. tauto.
Qed.

Lemma lookup_thresholds : forall before k data t, In t (thresholds (lookup before k data)) ->
  exists x label j, In (x, label) data /\ (t = x j \/ t = before (x j)).
Proof.
  intros before k data t. induction data as [| (x, label) data IH]; simpl; [easy |]. intros H.
  apply compared_thresholds in H. destruct H as [[] | [H | (j & H)]].
  - destruct (IH H) as (x' & label' & j & I & E). exists x', label', j. auto.
  - exists x, label, j. auto.
Qed.

Lemma lookup_answers : forall before k data label, In label (answers (lookup before k data)) ->
  label = (fun _ => 0) \/ exists x, In (x, label) data.
Proof.
  intros before k data label. induction data as [| (x, l) data IH]; simpl; [intros [<- | []]; auto |].
  intros H. apply compared_answers in H. destruct H as [[<- | []] | H]; [right; exists x; auto |].
  destruct (IH H) as [E | (x' & I)]; [auto | right; exists x'; auto].
Qed.

(** With gradual underflow, for every data set of values whose labels depend on the first [k] columns there is
    a network of Step and one of ReLU that memorize it: on every path, in every accumulator. *)
Theorem memorization_possible_FLT : forall e p Hp He act data k m, act = Step \/ act = Relu ->
  let A := FLT_arithmetic e p Hp He in
  (forall x label, In (x, label) data -> every_input A x /\ forall o, (o < m)%nat -> value A (label o)) ->
  function_of k m data ->
  exists n, hidden n = act /\ length (last n) = m /\
    forall B, within A B -> forall x label, In (x, label) data -> always_gives A B n x label.
Proof.
  intros e p Hp He act data k m K A V F. set (before := pred radix2 (FLT_exp e p)).
  assert (N : forall v, value A v -> adjacent A (before v) v) by exact (FLT_adjacent_pred e p Hp He).
  destruct (tree_has_network_FLT e p Hp He act (lookup before k data) m K) as (n & Ha & Hm & H).
  - apply Forall_forall. intros t I. destruct (lookup_thresholds _ _ _ _ I) as (x & label & j & J & E).
    destruct (V x label J) as [X _]. destruct E as [-> | ->]; [apply X | now destruct (N (x j) (X j))].
  - intros label o I O. destruct (lookup_answers _ _ _ _ I) as [-> | (x & J)]; [apply value_0 |].
    now apply (V x label J).
  - exists n. split; trivial. split; trivial. intros B AB x label I. destruct (V x label I) as [X _].
    destruct (H B AB x X) as [T G]. split; trivial. intros y Y o L. rewrite (G y Y o L), Hm in *.
    apply (lookup_label A before k m data x label o); trivial.
    intros x' label' J. destruct (V x' label' J) as [X' _]. split; trivial. intros j. now apply N.
Qed.
