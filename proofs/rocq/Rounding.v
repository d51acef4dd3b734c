(** * Rounding as a relation: what every arithmetic has, and the relation over Flocq's formats

    [neighbour fexp t r]: [r] is the nearest value of the format at or below [t], or the nearest at or above
    it. Every rounding direction of IEEE 754, each way to resolve ties, and a coin tossed in every operation
    choose one of these two; so what is proved for the relation is proved for each of them and for all
    mixtures. *)

From Coq Require Import ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic.

Open Scope R_scope.

(** ** Facts about every arithmetic *)

(** R2, exactness: what is a value already stays what it is. *)
Lemma rounds_value_exact : forall A t r, value A t -> rounds A t r -> r = t.
Proof.
  intros A t r Vt H. apply Rle_antisym.
  - now apply (rounds_up_to A t t r); [ | | apply Rle_refl ].
  - now apply (rounds_down_to A t t r); [ | | apply Rle_refl ].
Qed.

(** A value may be rounded, and then only to itself. *)
Lemma rounds_itself : forall A t, value A t -> rounds A t t.
Proof.
  intros A t Vt. destruct (rounds_total A t) as [r H].
  now rewrite (rounds_value_exact A t r Vt H) in H.
Qed.

(** -1 is a value. *)
Lemma value_minus_1 : forall A, value A (-1).
Proof. intros A. change (-1) with (- (1)). apply value_opp, value_1. Qed.

(** Rounding keeps signs: R1 with the value 0. *)
Lemma rounds_nonpositive : forall A t r, t <= 0 -> rounds A t r -> r <= 0.
Proof. intros A t r Ht H. now apply (rounds_up_to A 0 t r); [ apply value_0 | | ]. Qed.

Lemma rounds_nonnegative : forall A t r, 0 <= t -> rounds A t r -> 0 <= r.
Proof. intros A t r Ht H. now apply (rounds_down_to A 0 t r); [ apply value_0 | | ]. Qed.

(** A relation that allows less, and still something for every real, makes an arithmetic with the same values:
    one fixed direction, or the two of an implementation that mixes them. *)
Definition restricted (A : arithmetic) (choice : R -> R -> Prop)
  (Hsub : forall t r, choice t r -> rounds A t r) (Htotal : forall t, exists r, choice t r) : arithmetic :=
  {| value := value A; rounds := choice;
     precision := precision A; precision_positive := precision_positive A;
     value_0 := value_0 A; value_1 := value_1 A; value_opp := value_opp A;
     rounds_down_to := fun f t r Vf H => rounds_down_to A f t r Vf (Hsub t r H);
     rounds_up_to := fun f t r Vf H => rounds_up_to A f t r Vf (Hsub t r H);
     rounds_value := fun t r H => rounds_value A t r (Hsub t r H);
     rounds_total := Htotal;
     value_gap := value_gap A; value_scale := value_scale A; value_grid := value_grid A |}.

(** ** Neighbours in a format of Flocq *)

Definition neighbour (fexp : Z -> Z) (t r : R) : Prop :=
  r = round radix2 fexp Zfloor t \/ r = round radix2 fexp Zceil t.

Section Neighbours.

Variable fexp : Z -> Z.
Context {valid : Valid_exp fexp}.

Notation format := (generic_format radix2 fexp).
Notation below := (round radix2 fexp Zfloor).
Notation above := (round radix2 fexp Zceil).

(** Whatever rounding function is applied, in the sense of Flocq, gives a neighbour. *)
Theorem neighbour_round : forall rnd {Hrnd : Valid_rnd rnd} t, neighbour fexp t (round radix2 fexp rnd t).
Proof. intros rnd Hrnd t. now apply round_DN_or_UP. Qed.

(** And whatever is a neighbour is given by some rounding function. *)
Theorem neighbour_some_round : forall t r,
  neighbour fexp t r <-> exists rnd, Valid_rnd rnd /\ r = round radix2 fexp rnd t.
Proof.
  intros t r. split.
  - intros [-> | ->]; [ exists Zfloor | exists Zceil ]; split; auto with typeclass_instances.
  - intros (rnd & Hrnd & ->). now apply neighbour_round.
Qed.

(** All directions of IEEE 754 are instances: to nearest with ties resolved by any rule, upwards, downwards,
    to zero and away from it. *)
Corollary neighbour_directions : forall t,
  (forall choice, neighbour fexp t (round radix2 fexp (Znearest choice) t)) /\
  neighbour fexp t (above t) /\ neighbour fexp t (below t) /\
  neighbour fexp t (round radix2 fexp Ztrunc t) /\ neighbour fexp t (round radix2 fexp Zaway t).
Proof.
  intros t. split; [ intros choice | repeat split ]; apply neighbour_round; auto with typeclass_instances.
Qed.

(** A direction that is chosen anew at every operation is one, whatever it depends on: the [state] may hold
    the operands, the place in the network, or the tosses of a coin. *)
Corollary neighbour_mixture : forall (state : Type) (direction : state -> R -> Z),
  (forall s, Valid_rnd (direction s)) -> forall s t, neighbour fexp t (round radix2 fexp (direction s) t).
Proof. intros state direction Hd s t. now apply neighbour_round. Qed.

(** Stochastic rounding: up, or down, whatever the probabilities. *)
Corollary neighbour_toss : forall (up : bool) t, neighbour fexp t (if up then above t else below t).
Proof. intros [|] t; [ now right | now left ]. Qed.

Lemma neighbour_format : forall t r, neighbour fexp t r -> format r.
Proof. intros t r [-> | ->]; apply generic_format_round; auto with typeclass_instances. Qed.

Lemma neighbour_total : forall t, exists r, neighbour fexp t r.
Proof. intros t. exists (below t). now left. Qed.

Lemma neighbour_down_to : forall f t r, format f -> neighbour fexp t r -> f <= t -> f <= r.
Proof. intros f t r Ff [-> | ->] Hf; apply round_ge_generic; auto with typeclass_instances. Qed.

Lemma neighbour_up_to : forall f t r, format f -> neighbour fexp t r -> t <= f -> r <= f.
Proof. intros f t r Ff [-> | ->] Hf; apply round_le_generic; auto with typeclass_instances. Qed.

(** A value has no neighbour but itself. *)
Lemma neighbour_exact : forall t r, format t -> neighbour fexp t r -> r = t.
Proof. intros t r Ft [-> | ->]; apply round_generic; auto with typeclass_instances. Qed.

(** The negative of a neighbour is a neighbour of the negative. *)
Lemma neighbour_opp : forall t r, neighbour fexp t r -> neighbour fexp (- t) (- r).
Proof.
  intros t r [-> | ->].
  - right. symmetry. apply round_UP_opp.
  - left. symmetry. apply round_DN_opp.
Qed.

(** The sandwich R1 says all about neighbours: they are the values that lie on the same side of every value as
    [t]. So [neighbour] is the most liberal relation that R1 allows. *)
Theorem neighbour_sandwich : forall t r,
  neighbour fexp t r <-> format r /\ forall f, format f -> (f <= t -> f <= r) /\ (t <= f -> r <= f).
Proof.
  intros t r. split.
  - intros H. split; [ now apply (neighbour_format t) | ].
    intros f Ff. split; intros Hf; [ now apply (neighbour_down_to f t) | now apply (neighbour_up_to f t) ].
  - intros [Fr H].
    destruct (round_DN_pt radix2 fexp t) as (Fd & Hd & Md).
    destruct (round_UP_pt radix2 fexp t) as (Fu & Hu & Mu).
    destruct (Rle_or_lt r t) as [Hr | Hr].
    + left. apply Rle_antisym; [ now apply Md | now apply H ].
    + right. apply Rle_antisym; [ now apply H | apply Mu; [ exact Fr | now apply Rlt_le ] ].
Qed.

(** The same in terms of what lies between: a neighbour is a value, [t] itself if that is one, and no value
    lies strictly between it and [t]. *)
Theorem neighbour_between : forall t r,
  neighbour fexp t r <->
  format r /\ (format t -> r = t) /\ forall f, format f -> ~ (t < f < r) /\ ~ (r < f < t).
Proof.
  intros t r. rewrite neighbour_sandwich. split.
  - intros [Fr H]. split; [ exact Fr | split ].
    + intros Ft. destruct (H t Ft) as [H1 H2]. apply Rle_antisym; [ apply H2 | apply H1 ]; apply Rle_refl.
    + intros f Ff. destruct (H f Ff) as [H1 H2]. split; intros [Hl Hr].
      * apply (Rlt_irrefl r), (Rle_lt_trans _ f); [ now apply H2, Rlt_le | exact Hr ].
      * apply (Rlt_irrefl r), (Rlt_le_trans _ f); [ exact Hl | now apply H1, Rlt_le ].
  - intros (Fr & Hexact & H). split; [ exact Fr | ].
    intros f Ff. destruct (H f Ff) as [H1 H2]. split; intros [Hf | <-].
    + destruct (Rle_or_lt f r) as [K | K]; [ exact K | now elim H2 ].
    + rewrite Hexact; [ apply Rle_refl | exact Ff ].
    + destruct (Rle_or_lt r f) as [K | K]; [ exact K | now elim H1 ].
    + rewrite Hexact; [ apply Rle_refl | exact Ff ].
Qed.

(** An arithmetic whose values are the format rounds to neighbours, whatever its relation is. *)
Corollary rounds_neighbour : forall A, (forall v, value A v <-> format v) ->
  forall t r, rounds A t r -> neighbour fexp t r.
Proof.
  intros A HA t r H. apply neighbour_sandwich. split.
  - apply HA. now apply (rounds_value A t).
  - intros f Ff. apply HA in Ff. split; intros Hf.
    + now apply (rounds_down_to A f t).
    + now apply (rounds_up_to A f t).
Qed.

End Neighbours.
