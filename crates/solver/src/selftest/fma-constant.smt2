; 1 * 1 + 1 = 2 in float8_e5m2: its negation is unsatisfiable.
; Some versions of Z3 fold fused multiply-add of constants wrongly where p <= 3, and answer sat.
(declare-const one (_ FloatingPoint 5 3))
(assert (= one (fp #b0 #b01111 #b00)))
(assert (not (= (fp #b0 #b10000 #b00) (fp.fma roundNearestTiesToEven one one one))))
