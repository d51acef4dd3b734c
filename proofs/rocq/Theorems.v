(** * What a box network computes

    Every path gives the labels of the boxes around the input; from this follows what it means for data sets,
    for decision trees and forests, and for functions that are approximated. *)

From Coq Require Import ZArith List Reals Lra Lia Bool Arith.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError Network.
From Roundproof Require Import Formats Units Boxes Regions BoxNetwork.

Import ListNotations.
Open Scope R_scope.

(** ** Labels by box *)

(** The label that an output has for a box: none is zero. *)
Definition label_of (c : cell) (b : nat) : R :=
  total (map snd (filter (fun t => (fst t =? b)%nat) (weights c))).

Lemma total_if_eq : forall (w : R) k l, NoDup l ->
  total (map (fun b => if (k =? b)%nat then w else 0) l) = if in_dec Nat.eq_dec k l then w else 0.
Proof.
  intros w k l N. induction N as [| b l I N IH]; [easy |]. cbn [map total fold_right].
  fold (total (map (fun b => if (k =? b)%nat then w else 0) l)). rewrite IH.
  destruct (Nat.eqb_spec k b) as [-> | E], (in_dec Nat.eq_dec _ l) as [J | J],
    (in_dec Nat.eq_dec _ (b :: l)) as [K | K]; try lra; try easy; exfalso.
  - apply K. now left.
  - apply K. now right.
  - destruct K as [K | K]; [now apply E | easy].
Qed.

(** The labels around an input add up to those of the boxes around it, one by one. *)
Lemma labels_total : forall n units x c l, NoDup l ->
  (forall b w, In (b, w) (weights c) -> around n units x b = true <-> In b l) ->
  total (labels n units x c) = total (map (label_of c) l).
Proof.
  intros n units x c l N. unfold labels, label_of. induction (weights c) as [| [k w] ws IH]; intros H.
  - simpl. symmetry. apply total_zeros, Forall_forall. intros v I.
    apply in_map_iff in I. now destruct I as (b & <- & _).
  - specialize (IH (fun b w I => H b w (or_intror I))). pose proof (H k w (or_introl eq_refl)) as K.
    transitivity (total (map (fun b => if (k =? b)%nat then w else 0) l)
      + total (map snd (filter (fun t => around n units x (fst t)) ws))).
    + rewrite total_if_eq by trivial. cbn [filter fst].
      destruct (around n units x k), (in_dec Nat.eq_dec k l) as [I | I]; cbn [map snd total fold_right];
        try (apply K in I; discriminate); try (exfalso; now apply I, K); unfold total; lra.
    + rewrite IH, total_map_plus. f_equal. apply map_ext. intros b. cbn [filter fst].
      destruct (k =? b)%nat; cbn [map snd total fold_right]; unfold total; lra.
Qed.

(** At most one box is around an input, [b] if any. *)
Definition alone (n : network) (units : sides) (x : nat -> R) (b : nat) : Prop :=
  forall b', (b' < length (second n))%nat -> around n units x b' = true -> b' = b.

(** Then there is no more than its label, if each output has no more than one for it. *)
Lemma alone_labels : forall n units x c b,
  (forall b' w, In (b', w) (weights c) -> (b' < length (second n))%nat) -> alone n units x b ->
  NoDup (map fst (weights c)) ->
  (length (labels n units x c) <= 1)%nat /\
  total (labels n units x c) = if around n units x b then label_of c b else 0.
Proof.
  intros n units x c b L O N. split.
  - unfold labels. rewrite map_length. revert L N.
    induction (weights c) as [| [k w] ws IH]; intros L N; [simpl; lia |].
    apply NoDup_cons_iff in N. destruct N as [N M]. specialize (IH (fun b w I => L b w (or_intror I)) M).
    cbn [filter fst] in *. destruct (around n units x k) eqn:K; [| easy]. cbn [length].
    destruct (filter _ ws) as [| [k' w'] l] eqn:F; [simpl; lia |]. exfalso.
    assert (I : In (k', w') (filter (fun t => around n units x (fst t)) ws)) by (rewrite F; now left).
    apply filter_In in I. destruct I as [I K']. apply N.
    rewrite (O k (L k w (or_introl eq_refl)) K), <- (O k' (L k' w' (or_intror I)) K').
    now apply (in_map fst _ (k', w')).
  - destruct (around n units x b) eqn:K.
    + rewrite (labels_total n units x c [b]).
      * simpl. lra.
      * repeat constructor. easy.
      * intros b' w I. split; [| intros [<- | []]; trivial].
        intros H. left. symmetry. now apply (O b' (L b' w I)).
    + rewrite (labels_total n units x c []); [easy | constructor |].
      intros b' w I. split; [| easy]. intros H. pose proof (O b' (L b' w I) H) as E. congruence.
Qed.

(** Stored labels are values, there are no biases, and no output has two labels for a box. *)
Definition plain_labels (A : arithmetic) (n : network) : Prop :=
  forall o c, nth_error (last n) o = Some c ->
    bias c = 0 /\ NoDup (map fst (weights c)) /\ forall b w, In (b, w) (weights c) -> value A w.

(** With disjoint boxes, every path gives the label of the box around the input; outside of all, zero. *)
Theorem box_network_disjoint : forall A B D n units scale x b, within A B ->
  recognised A D n units scale -> D x -> plain_labels A n -> alone n units x b ->
  always_gives A B n x (fun o =>
    if around n units x b
    then match nth_error (last n) o with Some c => label_of c b | None => 0 end
    else 0).
Proof.
  intros A B D n units scale x b AB R Dx P O. apply box_network with D units scale; trivial.
  intros o c E. destruct (P o c E) as (Z & N & V).
  destruct (alone_labels n units x c b) as [L T]; trivial.
  { intros b' w. now apply (last_reads _ _ _ _ _ R o). }
  rewrite E, Z, T, Rplus_0_l. split; trivial. apply Selection; trivial.
  apply Forall_forall. intros v I. apply in_map_iff in I. destruct I as ([b' w] & <- & I).
  apply filter_In in I. now apply (V b').
Qed.

(** ** Data sets *)

(** A data set: its rows, each with an input and its labels. *)
Definition rows := list ((nat -> R) * (nat -> R)).

Definition inputs_of (data : rows) : inputs := fun x => In x (map fst data).

(** [Label]: if the bias and the labels around each row add up to its label, without an error, the network
    memorizes the data set: every path gives every row its label. *)
Theorem memorization : forall A B data n units scale, within A B ->
  recognised A (inputs_of data) n units scale ->
  (forall x label o c, In (x, label) data -> nth_error (last n) o = Some c ->
    exact_sum A (bias c) (labels n units x c) /\ bias c + total (labels n units x c) = label o) ->
  forall x label, In (x, label) data -> always_gives A B n x label.
Proof.
  intros A B data n units scale AB R S x label I.
  apply box_network with (inputs_of data) units scale; trivial.
  - now apply (in_map fst _ (x, label)).
  - intros o c. now apply S.
Qed.

(** The usual case: each row is in one box, which has its labels, or in none, and its labels are zero. *)
Corollary memorization_disjoint : forall A B data n units scale, within A B ->
  recognised A (inputs_of data) n units scale -> plain_labels A n ->
  (forall x label, In (x, label) data -> exists b, alone n units x b /\
    forall o c, nth_error (last n) o = Some c -> label o = if around n units x b then label_of c b else 0) ->
  forall x label, In (x, label) data -> always_gives A B n x label.
Proof.
  intros A B data n units scale AB R P S x label I. destruct (S x label I) as (b & O & E).
  destruct (box_network_disjoint A B (inputs_of data) n units scale x b) as [T H]; trivial.
  { now apply (in_map fst _ (x, label)). }
  split; trivial. intros y Y o L. rewrite (H y Y o L).
  destruct (nth_error (last n) o) as [c |] eqn:F; [now rewrite (E o c F) | apply nth_error_None in F; lia].
Qed.

(** ** Forests and trees *)

(** A separator, a tree of the forest, and what the leaves of this have more than the labels of that. *)
Record overlay := { regions : separator; tree_of : decision; offset : nat -> R }.

(** A network that computes a forest, [base] and the sum of its trees.
    - [BoxRegions]: each box is named once;
    - [Overlap], [Unfilled]: it lies within its region and fills it;
    - [Leaf]: at every input, what a leaf has more than the labels around the input is the offset of the tree;
    - [Offset]: the bias is the base and the offsets. *)
Record computes_forest (A : arithmetic) (n : network) (units : sides) (overlays : list overlay)
  (base : nat -> R) : Prop := {
  boxes_once : NoDup (all_named (map regions overlays));
  boxes_all : forall b, (b < length (second n))%nat -> In b (all_named (map regions overlays));
  boxes_placed : forall p, In p overlays -> separates A units (box_at n) (regions p);
  leaf_offset : forall p x o c, In p overlays -> every_input A x -> nth_error (last n) o = Some c ->
    decides (tree_of p) x o = total (map (label_of c) (path (regions p) x)) + offset p o;
  bias_offset : forall o c, nth_error (last n) o = Some c ->
    bias c = base o + total (map (fun p => offset p o) overlays)
}.

Definition forest (overlays : list overlay) (base : nat -> R) (x : nat -> R) : nat -> R :=
  fun o => base o + total (map (fun p => decides (tree_of p) x o) overlays).

(** The boxes around an input are those on its paths. *)
Lemma around_paths : forall A n units overlays base x c,
  computes_forest A n units overlays base -> every_input A x ->
  (forall b w, In (b, w) (weights c) -> (b < length (second n))%nat) ->
  total (labels n units x c) = total (map (label_of c) (paths (map regions overlays) x)).
Proof.
  intros A n units overlays base x c [O All P _ _] V L. apply labels_total.
  - now apply paths_NoDup.
  - intros b w I. rewrite (paths_inside A units (box_at n) (map regions overlays) x); trivial.
    + unfold around. specialize (All b (L b w I)). tauto.
    + intros s S. apply in_map_iff in S. destruct S as (p & <- & J). now apply P.
Qed.

(** At every input, every path gives the value of the forest: boxes may nest, in several trees, as long as the
    sums are exact. *)
Theorem forest_computed : forall A B n units scale overlays base, within A B ->
  recognised A (every_input A) n units scale -> computes_forest A n units overlays base ->
  (forall x o c, every_input A x -> nth_error (last n) o = Some c ->
    exact_sum A (bias c) (labels n units x c)) ->
  forall x, every_input A x -> always_gives A B n x (forest overlays base x).
Proof.
  intros A B n units scale overlays base AB R F S x V.
  apply box_network with (every_input A) units scale; trivial.
  intros o c E. split; [now apply (S x o c) |].
  rewrite (around_paths A n units overlays base x c F V (fun b w => last_reads _ _ _ _ _ R o c b w E)).
  destruct F as [_ _ _ Leaf Offset]. rewrite (Offset o c E). unfold forest. rewrite Rplus_assoc. f_equal.
  clear Offset S. induction overlays as [| p ps IH]; [simpl; lra |].
  unfold paths. cbn [map flat_map]. rewrite map_app, total_app.
  specialize (IH (fun q x o c I => Leaf q x o c (or_intror I))).
  cbn [total fold_right map]. rewrite (Leaf p x o c (or_introl eq_refl) V E). unfold paths, total in *. lra.
Qed.

(** A decision tree whose leaves are the boxes, in preorder, with their labels. *)
Record computes_tree (A : arithmetic) (n : network) (units : sides) (d : decision) : Prop := {
  boxes_leaves : length (second n) = length (answers d);
  boxes_regions : separates A units (box_at n) (regions_of d 0);
  labels_leaves : forall o c b label, nth_error (last n) o = Some c -> nth_error (answers d) b = Some label ->
    label_of c b = label o
}.

(** At every input, every path gives the value of the tree. *)
Theorem tree_computed : forall A B n units scale d, within A B ->
  recognised A (every_input A) n units scale -> plain_labels A n -> computes_tree A n units d ->
  forall x, every_input A x -> always_gives A B n x (decides d x).
Proof.
  intros A B n units scale d AB R P [C S L] x V. destruct (regions_path d 0 x) as (b & Pb & Nb). simpl in Pb.
  assert (I : forall b', In b' (path (regions_of d 0) x) <->
    (b' < length (second n))%nat /\ around n units x b' = true).
  { intros b'. rewrite (separator_path A units (box_at n) _ x S V), regions_named, in_seq, C.
    unfold around. intuition lia. }
  rewrite Pb in I.
  destruct (box_network_disjoint A B (every_input A) n units scale x b) as [T H]; trivial.
  { intros b' K J. destruct (proj2 (I b')) as [<- | []]; auto. }
  split; trivial. intros y Y o K. rewrite (H y Y o K).
  destruct (proj1 (I b) (or_introl eq_refl)) as [_ ->].
  destruct (nth_error (last n) o) as [c |] eqn:E; [now apply (L o c) | apply nth_error_None in E; lia].
Qed.

(** ** Approximation *)

(** A value that is nearest to a real. *)
Definition nearest (A : arithmetic) (t v : R) : Prop :=
  value A v /\ forall w, value A w -> Rabs (v - t) <= Rabs (w - t).

(** If disjoint boxes cover a domain, a function varies by at most [eps / 2] over each, and the label of each
    is the function at some point of the box, rounded to nearest, then no value of the format is nearer to the
    function than what a path gives by more than [eps]. *)
Theorem approximation : forall A B D n units scale (f : (nat -> R) -> nat -> R) eps, within A B ->
  recognised A D n units scale -> plain_labels A n ->
  (forall x, D x ->
    exists b, (b < length (second n))%nat /\ around n units x b = true /\ alone n units x b) ->
  (forall b x z o, around n units x b = true -> around n units z b = true -> D x -> D z ->
    Rabs (f x o - f z o) <= eps / 2) ->
  (forall b o c, (b < length (second n))%nat -> nth_error (last n) o = Some c ->
    exists z, D z /\ around n units z b = true /\ nearest A (f z o) (label_of c b)) ->
  forall x, D x ->
  (exists y, computes A B n x y) /\
  forall y, computes A B n x y -> forall o, (o < length (last n))%nat ->
    forall v, value A v -> Rabs (y o - f x o) <= Rabs (v - f x o) + eps.
Proof.
  intros A B D n units scale f eps AB R P Cover Vary Label x Dx.
  destruct (Cover x Dx) as (b & Lb & Ib & O).
  destruct (box_network_disjoint A B D n units scale x b) as [T H]; trivial.
  split; trivial. intros y Y o L v V. rewrite (H y Y o L), Ib.
  destruct (nth_error (last n) o) as [c |] eqn:E; [| apply nth_error_None in E; lia].
  destruct (Label b o c Lb E) as (z & Dz & Iz & _ & N). specialize (N v V).
  pose proof (Vary b x z o Ib Iz Dx Dz) as W.
  pose proof (Rabs_triang (label_of c b - f z o) (f z o - f x o)) as T1.
  pose proof (Rabs_triang (v - f x o) (f x o - f z o)) as T2. rewrite (Rabs_minus_sym (f z o)) in T1.
  replace (label_of c b - f z o + (f z o - f x o)) with (label_of c b - f x o) in T1 by ring.
  replace (v - f x o + (f x o - f z o)) with (v - f z o) in T2 by ring. lra.
Qed.

(** ** In the formats of Flocq

    [FLX] has precision [p] and all exponents; [FLT] has a least one and gradual underflow. Rounding is the
    relation of [Rounding], and so any direction, any rule for ties, and any mixture of them. *)

(** Every value can be the threshold of a Step unit. *)
Lemma followed_FLX : forall p Hp v, value (FLX_arithmetic p Hp) v -> followed (FLX_arithmetic p Hp) v.
Proof.
  intros p Hp v V. destruct (Req_dec v 0) as [Z | Z]; [now left | right].
  eexists. now apply FLX_adjacent_succ.
Qed.

Lemma followed_FLT : forall e p Hp He v,
  value (FLT_arithmetic e p Hp He) v -> followed (FLT_arithmetic e p Hp He) v.
Proof. intros e p Hp He v V. right. eexists. now apply FLT_adjacent_succ. Qed.

Corollary box_network_FLX : forall p Hp p' Hp', (p <= p')%Z ->
  let A := FLX_arithmetic p Hp in let B := FLX_arithmetic p' Hp' in
  forall D n units scale x f, recognised A D n units scale -> D x ->
  (forall o c, nth_error (last n) o = Some c ->
    exact_sum A (bias c) (labels n units x c) /\ bias c + total (labels n units x c) = f o) ->
  always_gives A B n x f.
Proof. intros p Hp p' Hp' W A B D n units scale x f. now apply box_network, FLX_within_FLX. Qed.

Corollary box_network_FLT : forall e p Hp He e' p' Hp' He', (p <= p')%Z -> (e' <= e)%Z ->
  let A := FLT_arithmetic e p Hp He in let B := FLT_arithmetic e' p' Hp' He' in
  forall D n units scale x f, recognised A D n units scale -> D x ->
  (forall o c, nth_error (last n) o = Some c ->
    exact_sum A (bias c) (labels n units x c) /\ bias c + total (labels n units x c) = f o) ->
  always_gives A B n x f.
Proof.
  intros e p Hp He e' p' Hp' He' W W' A B D n units scale x f. now apply box_network, FLT_within_FLT.
Qed.

(** The error bound, for all values of the last layer: those of [FLT] are multiples of its least one. *)
Corollary box_network_error_FLT : forall e p Hp He e' p' Hp' He', (p <= p')%Z -> (e' <= e)%Z ->
  let A := FLT_arithmetic e p Hp He in let B := FLT_arithmetic e' p' Hp' He' in
  forall D n units scale x o c m, recognised A D n units scale -> D x -> nth_error (last n) o = Some c ->
  Forall (value A) (bias c :: labels n units x c) -> (nonzeros (bias c :: labels n units x c) <= m)%nat ->
  forall y, computes A B n x y ->
  Rabs (y o - (bias c + total (labels n units x c)))
    <= error (pow2 (1 - p)) m (magnitude (bias c :: labels n units x c)).
Proof.
  intros e p Hp He e' p' Hp' He' W W' A B D n units scale x o c m R Dx E V M y Y.
  assert (valid : Valid_exp (FLT_exp e' p')) by (now apply FLT_exp_valid).
  apply (box_network_error A B D n units scale x o c e m); trivial.
  - now apply FLT_within_FLT.
  - apply FLT_power; [exact Hp | lia].
  - now apply (format_keeps_grid B (FLT_exp e' p')).
  - revert V. apply Forall_impl. intros v V. split; trivial. now apply FLT_on_grid with p.
Qed.

(** In [FLX], finitely many values have a power of two that divides them all. *)
Corollary box_network_error_FLX : forall p Hp p' Hp', (p <= p')%Z ->
  let A := FLX_arithmetic p Hp in let B := FLX_arithmetic p' Hp' in
  forall D n units scale x o c m, recognised A D n units scale -> D x -> nth_error (last n) o = Some c ->
  Forall (value A) (bias c :: labels n units x c) -> (nonzeros (bias c :: labels n units x c) <= m)%nat ->
  forall y, computes A B n x y ->
  Rabs (y o - (bias c + total (labels n units x c)))
    <= error (pow2 (1 - p)) m (magnitude (bias c :: labels n units x c)).
Proof.
  intros p Hp p' Hp' W A B D n units scale x o c m R Dx E V M y Y.
  assert (valid : Valid_exp (FLX_exp p')) by (now apply FLX_exp_valid).
  destruct (FLX_on_grid p _ V) as [e G].
  apply (box_network_error A B D n units scale x o c e m); trivial.
  - now apply FLX_within_FLX.
  - apply generic_format_bpow. unfold FLX_exp. lia.
  - now apply (format_keeps_grid B (FLX_exp p')).
  - now apply Forall_and.
Qed.
