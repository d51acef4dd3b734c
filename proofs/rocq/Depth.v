(** * Two layers do not suffice

    Three layers give every function of values ([memorization_possible_FLT]). Two do not: on a line of inputs parallel to
    an axis, what a unit of Step or ReLU gives between two inputs is at most what it gives at one of them, on a path that
    rounds down throughout. So the positive terms of the sum at the middle input are bounded by those at the outer two; and
    these are bounded by the labels there, since a sum that every path agrees on has no large terms that cancel
    ([positive_parts_bounded]). The width does not matter, nor do weights, which may be any reals. *)

From Coq Require Import ZArith List Permutation Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums Network Formats Units Boxes Regions BoxNetwork Theorems.
From Roundproof Require Import Memorization DepthSums.

Import ListNotations.
Open Scope R_scope.

(** ** Networks of two layers *)

Record shallow := { shallow_hidden : activation; shallow_first : layer; shallow_last : layer }.

(** [shallow_computes A B n x y]: on some path, the network gives [y] at the input [x]. *)
Definition shallow_computes (A B : arithmetic) (n : shallow) (x y : nat -> R) : Prop :=
  exists h,
    gives A B (shallow_hidden n) (shallow_first n) x h /\
    gives A B Identity (shallow_last n) h y.

(** [shallow_always_gives A B n x o v]: every path gives [v] in the output [o] at the input [x]. *)
Definition shallow_always_gives (A B : arithmetic) (n : shallow) (x : nat -> R) (o : nat) (v : R) : Prop :=
  forall y, shallow_computes A B n x y -> y o = v.

(** What is asked of it: units of Step or ReLU that read no input twice, and an output [o] whose bias is a value. *)
Definition well_formed (B : arithmetic) (n : shallow) (o : nat) : Prop :=
  (shallow_hidden n = Step \/ shallow_hidden n = Relu) /\
  Forall (fun c => NoDup (map fst (weights c))) (shallow_first n) /\
  exists c, nth_error (shallow_last n) o = Some c /\ value B (bias c).

(** Inputs on a line parallel to the axis [j], in order. *)
Definition on_axis (j : nat) (x1 x2 x3 : nat -> R) : Prop :=
  x1 j <= x2 j <= x3 j /\ forall i, i <> j -> x1 i = x2 i /\ x2 i = x3 i.

Section TwoLayers.

Variables A B : arithmetic.
Variable FA : two_sided A.
Variable FB : two_sided B.

(** ** A unit on the path that rounds down *)

(** The neuron [c] on that path. *)
Definition rounded_down (c : cell) (x : nat -> R) : R :=
  down FA (lowest B FB (terms_in_order (Number (bias c)) (map (fun '(w, v) => Product w v) (terms x c)))).

Lemma rounded_down_path : forall c x, neuron A B (bias c) (terms x c) (rounded_down c x).
Proof.
  intros c x. eexists. split; [| apply down_rounds]. eexists. split; [| apply lowest_path].
  unfold terms_in_order. now rewrite leaves_in_order.
Qed.

Lemma rounded_down_monotone : forall c x y,
  Forall (fun '(i, w) => w * x i <= w * y i) (weights c) -> rounded_down c x <= rounded_down c y.
Proof.
  intros c x y H. apply down_monotone. unfold terms_in_order. apply lowest_monotone; [| apply Rle_refl].
  unfold terms. induction H as [| [i w] l H _ IH]; simpl; constructor; trivial.
Qed.

(** No input is read twice, so all weights on one axis are of one sign. *)
Lemma one_sign : forall j (l : list (nat * R)), NoDup (map fst l) ->
  Forall (fun '(i, w) => i = j -> 0 <= w) l \/ Forall (fun '(i, w) => i = j -> w <= 0) l.
Proof.
  intros j l. induction l as [| [i w] l IH]; simpl; intros N; [now left |]. inversion N as [| i' l' I N']; subst.
  destruct (Nat.eq_dec i j) as [-> | E].
  - assert (X : forall P : R -> Prop, Forall (fun '(i, w) => i = j -> P w) l).
    { intros P. apply Forall_forall. intros [i v] K ->. elim I. now apply (in_map fst _ (j, v)). }
    destruct (Rle_or_lt 0 w) as [L | L]; [left | right]; constructor; try apply X; intros _; lra.
  - destruct (IH N') as [H | H]; [left | right]; constructor; trivial; now intros.
Qed.

Lemma rounded_down_between : forall j c x1 x2 x3, NoDup (map fst (weights c)) -> on_axis j x1 x2 x3 ->
  rounded_down c x2 <= rounded_down c x3 \/ rounded_down c x2 <= rounded_down c x1.
Proof.
  intros j c x1 x2 x3 N [[L1 L2] H]. destruct (one_sign j _ N) as [S | S]; [left | right];
    apply rounded_down_monotone; apply Forall_forall; intros [i w] I; rewrite Forall_forall in S; specialize (S _ I);
    simpl in S; (destruct (Nat.eq_dec i j) as [-> | E]; [specialize (S eq_refl); nra | destruct (H i E); nra]).
Qed.

(** ** The hidden layer on that path *)

Lemma activate_monotone : forall act u v, act = Step \/ act = Relu -> u <= v ->
  0 <= activate act u <= activate act v.
Proof.
  intros act u v [-> | ->] L; simpl.
  - destruct (Rle_dec 0 u), (Rle_dec 0 v); lra.
  - split; [apply Rmax_r |]. now apply Rle_max_compat_r.
Qed.

Definition hidden_values (n : shallow) (x : nat -> R) (i : nat) : R :=
  match nth_error (shallow_first n) i with
  | Some c => activate (shallow_hidden n) (rounded_down c x)
  | None => 0
  end.

Lemma hidden_values_path : forall n x, gives A B (shallow_hidden n) (shallow_first n) x (hidden_values n x).
Proof.
  intros n x i c E. exists (rounded_down c x). split; [apply rounded_down_path |].
  unfold hidden_values. now rewrite E.
Qed.

Lemma hidden_values_nonnegative : forall n x i, shallow_hidden n = Step \/ shallow_hidden n = Relu ->
  0 <= hidden_values n x i.
Proof.
  intros n x i K. unfold hidden_values. destruct (nth_error (shallow_first n) i) as [c |]; [| lra].
  now apply (activate_monotone _ _ _ K (Rle_refl _)).
Qed.

Lemma hidden_values_between : forall n j x1 x2 x3 i, shallow_hidden n = Step \/ shallow_hidden n = Relu ->
  Forall (fun c => NoDup (map fst (weights c))) (shallow_first n) -> on_axis j x1 x2 x3 ->
  hidden_values n x2 i <= hidden_values n x1 i + hidden_values n x3 i.
Proof.
  intros n j x1 x2 x3 i K N O.
  pose proof (hidden_values_nonnegative n x1 i K) as P1. pose proof (hidden_values_nonnegative n x3 i K) as P3.
  unfold hidden_values in *. destruct (nth_error (shallow_first n) i) as [c |] eqn:E; [| lra].
  rewrite Forall_forall in N. specialize (N c (nth_error_In _ _ E)).
  destruct (rounded_down_between j c x1 x2 x3 N O) as [L | L]; apply (activate_monotone _ _ _ K) in L; lra.
Qed.

(** ** The output *)

Lemma always_neuron : forall n x o c v, nth_error (shallow_last n) o = Some c -> shallow_always_gives A B n x o v ->
  forall r, neuron A B (bias c) (terms (hidden_values n x) c) r -> r = v.
Proof.
  intros n x o c v E H r R.
  destruct (gives_total A B Identity (shallow_last n) (hidden_values n x)) as [y Y].
  specialize (H (fun i => if Nat.eq_dec i o then r else y i)). simpl in H.
  destruct (Nat.eq_dec o o) as [_ | X]; [| now elim X]. apply H. exists (hidden_values n x).
  split; [apply hidden_values_path |]. intros i d D. destruct (Nat.eq_dec i o) as [-> |]; [| now apply Y].
  rewrite E in D. injection D as <-. now exists r.
Qed.

(** The exact terms of the output. *)
Definition summands (c : cell) (h : nat -> R) : list R := bias c :: products (terms h c).

Lemma positive_between : forall c h1 h2 h3,
  (forall i, 0 <= h1 i /\ 0 <= h2 i /\ 0 <= h3 i /\ h2 i <= h1 i + h3 i) ->
  total (map positive_part (summands c h2)) <=
  total (map positive_part (summands c h1)) + total (map positive_part (summands c h3)).
Proof.
  intros c h1 h2 h3 H. unfold summands, products, terms. simpl.
  assert (P0 : forall v, 0 <= positive_part v) by (intros v; apply Rmax_r).
  pose proof (P0 (bias c)). induction (weights c) as [| [i w] l IH]; simpl in *; [lra |].
  destruct (H i) as (H1 & H2 & H3 & L).
  assert (X : positive_part (w * h2 i) <= positive_part (w * h1 i) + positive_part (w * h3 i)); [| lra].
  unfold positive_part. destruct (Rle_or_lt 0 w) as [S | S].
  - rewrite !Rmax_left by nra. nra.
  - rewrite (Rmax_right (w * h2 i)) by nra. pose proof (Rmax_r (w * h1 i) 0). pose proof (Rmax_r (w * h3 i) 0). lra.
Qed.

Lemma outer_bounded : forall n x o c m k, nth_error (shallow_last n) o = Some c -> value B (bias c) ->
  Z.odd m = true -> shallow_always_gives A B n x o (IZR m * pow2 k) ->
  total (map positive_part (summands c (hidden_values n x))) <=
  (IZR (2 ^ precision B) - 1) * pow2 k + Rmax (IZR m * pow2 k) 0.
Proof.
  intros n x o c m k E V O H. pose proof (always_neuron n x o c _ E H) as R.
  destruct (agreed_sum_exact A B FA FB _ _ _ V R) as [P T]. rewrite <- T.
  now apply (positive_parts_bounded B FB _ m k).
Qed.

(** Labels at three inputs on an axis, the outer ones odd multiples of [2^k] and [2^l]: the middle one is at most so far
    above them, whatever the network of two layers. *)
Theorem two_layers_bounded : forall n o j x1 x2 x3 m k m' k' v, well_formed B n o -> on_axis j x1 x2 x3 ->
  Z.odd m = true -> Z.odd m' = true ->
  shallow_always_gives A B n x1 o (IZR m * pow2 k) ->
  shallow_always_gives A B n x2 o v ->
  shallow_always_gives A B n x3 o (IZR m' * pow2 k') ->
  v <= (IZR (2 ^ precision B) - 1) * (pow2 k + pow2 k') + Rmax (IZR m * pow2 k) 0 + Rmax (IZR m' * pow2 k') 0.
Proof.
  intros n o j x1 x2 x3 m k m' k' v (K & N & c & E & V) O M M' H1 H2 H3.
  pose proof (outer_bounded n x1 o c m k E V M H1) as B1.
  pose proof (outer_bounded n x3 o c m' k' E V M' H3) as B3.
  destruct (agreed_sum_exact A B FA FB _ _ _ V (always_neuron n x2 o c v E H2)) as [_ T].
  fold (summands c (hidden_values n x2)) in T. pose proof (total_le_positive_parts (summands c (hidden_values n x2))) as L.
  assert (X := positive_between c (hidden_values n x1) (hidden_values n x2) (hidden_values n x3)).
  assert (total (map positive_part (summands c (hidden_values n x2))) <=
          total (map positive_part (summands c (hidden_values n x1))) +
          total (map positive_part (summands c (hidden_values n x3)))); [| lra].
  apply X. intros i. repeat split; try now apply hidden_values_nonnegative. now apply (hidden_values_between n j).
Qed.

(** In particular a peak over powers of two can be [2^(p + 1)] times as high and no more. *)
Corollary no_peak_in_two_layers : forall n o j x1 x2 x3 k v, well_formed B n o -> on_axis j x1 x2 x3 ->
  pow2 (precision B + 1 + k) < v ->
  shallow_always_gives A B n x1 o (pow2 k) ->
  shallow_always_gives A B n x2 o v ->
  shallow_always_gives A B n x3 o (pow2 k) -> False.
Proof.
  intros n o j x1 x2 x3 k v W O L H1 H2 H3.
  assert (E : pow2 k = IZR 1 * pow2 k) by ring. rewrite E in H1, H3.
  pose proof (two_layers_bounded n o j x1 x2 x3 1 k 1 k v W O eq_refl eq_refl H1 H2 H3) as X.
  rewrite <- E in X. pose proof (bpow_gt_0 radix2 k) as G. rewrite Rmax_left in X by lra.
  pose proof (precision_positive B). rewrite !bpow_plus, <- (IZR_Zpower radix2) in L by lia.
  change (Zpower radix2 (precision B)) with (2 ^ precision B)%Z in L. simpl (pow2 1) in L.
  change (IZR (Z.pow_pos 2 1)) with 2 in L. nra.
Qed.

End TwoLayers.

(** ** The formats *)

(** The input [a], read in the first column. *)
Definition point (a : R) : nat -> R := fun j => match j with O => a | S _ => 1 end.

(** The labels [pow2 k], [v], [pow2 k] at [a], [b], [c]. *)
Definition peak (a b c : R) (k : Z) (v : R) : rows :=
  [(point a, fun _ => pow2 k); (point b, fun _ => v); (point c, fun _ => pow2 k)].

Definition shallow_memorizes (A B : arithmetic) (n : shallow) (data : rows) : Prop :=
  forall x label, In (x, label) data -> shallow_always_gives A B n x 0%nat (label 0%nat).

Lemma no_shallow_peak : forall A B (FA : two_sided A) (FB : two_sided B) a b c k v, a < b < c ->
  pow2 (precision B + 1 + k) < v ->
  forall n, well_formed B n 0 -> ~ shallow_memorizes A B n (peak a b c k v).
Proof.
  intros A B FA FB a b c k v L V n W H.
  apply (no_peak_in_two_layers A B FA FB n 0%nat 0%nat (point a) (point b) (point c) k v W); trivial.
  - split; [simpl; lra |]. intros [| i] I; [now elim I | now split].
  - apply (H (point a) (fun _ => pow2 k)). now left.
  - apply (H (point b) (fun _ => v)). right. now left.
  - apply (H (point c) (fun _ => pow2 k)). right. right. now left.
Qed.

Lemma point_values : forall A a, value A a -> every_input A (point a).
Proof. intros A a V [| j]; [exact V | apply value_1]. Qed.

Lemma peak_function : forall a b c k v, a < b < c -> function_of 1 1 (peak a b c k v).
Proof.
  intros a b c k v L x label x' label' I I' E o O. specialize (E 0%nat ltac:(lia)).
  destruct I as [I | [I | [I | []]]]; injection I as <- <-;
    destruct I' as [I' | [I' | [I' | []]]]; injection I' as <- <-; simpl in E; trivial; lra.
Qed.

(** With gradual underflow, a peak of more than [2^(p + 1)] over a power of two, [p] the precision of the accumulator, has
    a network of three layers of either activation, and none of two layers of either activation, of any width. *)
Theorem depth_FLT : forall e p Hp He e' p' Hp' He' a b c k v, (p <= p')%Z -> (e' <= e)%Z ->
  let A := FLT_arithmetic e p Hp He in let B := FLT_arithmetic e' p' Hp' He' in
  value A a -> value A b -> value A c -> a < b < c -> value A (pow2 k) -> value A v -> pow2 (p' + 1 + k) < v ->
  (forall act, act = Step \/ act = Relu -> exists n, hidden n = act /\ length (last n) = 1%nat /\
    forall x label, In (x, label) (peak a b c k v) -> always_gives A B n x label) /\
  (forall n, well_formed B n 0 -> ~ shallow_memorizes A B n (peak a b c k v)).
Proof.
  intros e p Hp He e' p' Hp' He' a b c k v P E A B Va Vb Vc L Vk Vv H. split.
  - intros act K.
    destruct (memorization_possible_FLT e p Hp He act (peak a b c k v) 1 1 K) as (n & Hn & Ln & G).
    + intros x label [I | [I | [I | []]]]; injection I as <- <-; split; try intros _ _; trivial; now apply point_values.
    + now apply peak_function.
    + exists n. split; trivial. split; trivial. intros x label I. apply G; trivial. now apply FLT_within_FLT.
  - now apply no_shallow_peak; [apply FLT_two_sided | apply FLT_two_sided | |].
Qed.

Theorem depth_FLX : forall p Hp p' Hp' a b c k v, (p <= p')%Z ->
  let A := FLX_arithmetic p Hp in let B := FLX_arithmetic p' Hp' in
  a < b < c -> pow2 (p' + 1 + k) < v ->
  forall n, well_formed B n 0 -> ~ shallow_memorizes A B n (peak a b c k v).
Proof.
  intros p Hp p' Hp' a b c k v P A B L H. now apply no_shallow_peak; [apply FLX_two_sided | apply FLX_two_sided | |].
Qed.
