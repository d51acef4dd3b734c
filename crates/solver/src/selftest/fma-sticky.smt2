; -3.75 * -1.875 + 1.5 = 8.53125, which rounds to 9 in a format with p = 4: satisfiable.
; Z3 4.8.12 loses a sticky bit in the general case and answers unsat. The operands are pinned by their order, so that
; the general case is what is asked.
(declare-const a (_ FloatingPoint 4 4))
(declare-const b (_ FloatingPoint 4 4))
(declare-const c (_ FloatingPoint 4 4))
(assert (and (fp.leq (fp #b1 #x8 #b111) a) (fp.leq a (fp #b1 #x8 #b111))))
(assert (and (fp.leq (fp #b1 #x7 #b111) b) (fp.leq b (fp #b1 #x7 #b111))))
(assert (and (fp.leq (fp #b0 #x7 #b100) c) (fp.leq c (fp #b0 #x7 #b100))))
(assert (fp.eq (fp #b0 #xa #b001) (fp.fma roundNearestTiesToEven a b c)))
