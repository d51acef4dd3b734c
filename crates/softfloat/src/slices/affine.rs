//! A matrix times many vectors at once, plus a bias.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use roundproof_format::RoundingMode;

use super::lane::Hardware;
use super::{Directions, Multiply, TiesToAway, TiesToEven, TowardNegative, TowardPositive, TowardZero, leave};

/// A matrix and a bias, by what each row adds up. Weights and biases are finite.
pub trait Rows<B> {
    /// How many rows there are.
    fn rows(&self) -> usize;

    /// The column and the weight of each term, in the order in which they are added.
    fn terms(&self, row: usize) -> impl Iterator<Item = (usize, B)>;

    /// What is added last.
    fn bias(&self, row: usize) -> B;
}

/// `L` vectors side by side: of each coordinate, its `L` elements. A coordinate that is +0 in all of them takes no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<B, const L: usize> {
    /// Where in `elements` each coordinate stands; the first of these are zeros.
    places: Vec<u32>,
    elements: Vec<[B; L]>,
}

impl<B: Copy + Default + Eq, const L: usize> Default for Block<B, L> {
    fn default() -> Self {
        Block { places: Vec::new(), elements: vec![[B::default(); L]] }
    }
}

impl<B: Copy + Default + Eq, const L: usize> Block<B, L> {
    /// How many coordinates there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The elements of a coordinate.
    ///
    /// # Panics
    ///
    /// If there is no such coordinate.
    #[inline(always)]
    pub fn get(&self, coordinate: usize) -> &[B; L] {
        &self.elements[self.places[coordinate] as usize]
    }

    /// Whether all elements of a coordinate are +0.
    #[inline(always)]
    fn is_zero(&self, coordinate: usize) -> bool {
        self.places[coordinate] == 0
    }

    /// Appends a coordinate.
    #[inline(always)]
    pub fn push(&mut self, elements: [B; L]) {
        let zero = elements.iter().fold(true, |zero, &element| zero & (element == B::default()));
        if zero {
            self.places.push(0);
        } else {
            self.places.push(self.elements.len() as u32);
            self.elements.push(elements);
        }
    }
}

/// What the rows of `matrix` give for each vector of `inputs`: the products of weights and coordinates, each rounded, are
/// added one after the other, each sum rounded; the bias comes last, and then `then`.
///
/// Products with coordinates that are zero are left out. That changes no bit: they are zeros, as weights are finite, and
/// a sum with a zero is exact. Only a sum that is itself zero may change its sign, and all such additions together do what
/// one at the end does. *Call the zero that wins over its opposite strong: -0 toward negative, else +0. Adding the weak
/// one changes nothing. Adding the strong one, `f`, changes the weak one into it, and nothing else; `f(x) + y = f(x + y)`,
/// because opposite operands give the strong zero, and no sum underflows to zero.*
///
/// # Panics
///
/// If a column has no coordinate.
pub fn affine<H: Hardware, M: Rows<H::Bits>, const L: usize>(
    mode: RoundingMode,
    matrix: &M,
    inputs: &Block<H::Bits, L>,
    then: impl Fn(&mut [H::Bits; L]),
) -> Block<H::Bits, L> {
    let mut outputs = Block::default();
    outputs.places.reserve_exact(matrix.rows());
    let each = |mut elements: [H::Bits; L]| {
        then(&mut elements);
        outputs.push(elements);
    };
    match mode {
        RoundingMode::TiesToEven => run::<H, M, TiesToEven, L>(matrix, inputs, each),
        RoundingMode::TiesToAway => run::<H, M, TiesToAway, L>(matrix, inputs, each),
        RoundingMode::TowardPositive => run::<H, M, TowardPositive, L>(matrix, inputs, each),
        RoundingMode::TowardNegative => run::<H, M, TowardNegative, L>(matrix, inputs, each),
        RoundingMode::TowardZero => run::<H, M, TowardZero, L>(matrix, inputs, each),
    }
    outputs
}

fn run<H: Hardware, M: Rows<H::Bits>, D: Directions<1>, const L: usize>(
    matrix: &M,
    inputs: &Block<H::Bits, L>,
    each: impl FnMut([H::Bits; L]),
) {
    let kernel = Affine::<H, M, D, _, L> { matrix, inputs, each, direction: PhantomData };
    // A single vector has no use for vector instructions.
    if L == 1 { kernel.all() } else { Arch::new().dispatch(kernel) }
}

struct Affine<'a, H: Hardware, M, D, E, const L: usize> {
    matrix: &'a M,
    inputs: &'a Block<H::Bits, L>,
    each: E,
    direction: PhantomData<D>,
}

impl<H, M, D, E, const L: usize> WithSimd for Affine<'_, H, M, D, E, L>
where
    H: Hardware,
    M: Rows<H::Bits>,
    D: Directions<1>,
    E: FnMut([H::Bits; L]),
{
    type Output = ();

    /// Compiled once for each set of vector instructions.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.all();
    }
}

impl<H, M, D, E, const L: usize> Affine<'_, H, M, D, E, L>
where
    H: Hardware,
    M: Rows<H::Bits>,
    D: Directions<1>,
    E: FnMut([H::Bits; L]),
{
    const MODE: RoundingMode = D::MODES[0];

    #[inline(always)]
    fn all(mut self) {
        for row in 0..self.matrix.rows() {
            let sums = self.sums(row);
            (self.each)(sums);
        }
    }

    #[inline(always)]
    fn sums(&self, row: usize) -> [H::Bits; L] {
        let zero = H::Bits::default();
        let strong = if Self::MODE == RoundingMode::TowardNegative { H::negate(zero) } else { zero };
        let mut strong_left_out = false;
        let mut totals = None;
        for (column, weight) in self.matrix.terms(row) {
            if self.inputs.is_zero(column) {
                strong_left_out |= H::is_sign_minus(weight) == H::is_sign_minus(strong);
                continue;
            }
            let products = Self::products(weight, self.inputs.get(column));
            totals = Some(match totals {
                Some(totals) => Self::add(totals, products),
                None => products,
            });
        }
        let ends = [self.matrix.bias(row), strong];
        for &end in &ends[..1 + usize::from(strong_left_out)] {
            let end = [H::carry(end); L];
            totals = Some(match totals {
                Some(totals) => Self::add(totals, end),
                None => end,
            });
        }
        totals.unwrap_or([H::carry(zero); L]).map(H::pack)
    }

    #[inline(always)]
    fn products(weight: H::Bits, inputs: &[H::Bits; L]) -> [H::Carrier; L] {
        let mut left = [false; L];
        let mut products = [H::Carrier::default(); L];
        let carried = H::carry(weight);
        for i in 0..L {
            (products[i], left[i]) = H::carried_product(Self::MODE, carried, H::carry(inputs[i]));
        }
        if left.contains(&true) {
            Self::leave(weight, inputs, &mut products, &left);
        }
        products
    }

    #[cold]
    fn leave(weight: H::Bits, inputs: &[H::Bits; L], products: &mut [H::Carrier; L], left: &[bool; L]) {
        let mut packed = [H::Bits::default(); L];
        leave::<H, Multiply, D, 1, L>(&[weight; L], inputs, [&mut packed], left);
        for i in (0..L).filter(|&i| left[i]) {
            products[i] = H::carry(packed[i]);
        }
    }

    #[inline(always)]
    fn add(mut a: [H::Carrier; L], b: [H::Carrier; L]) -> [H::Carrier; L] {
        for i in 0..L {
            a[i] = H::carried_sum(Self::MODE, a[i], b[i]);
        }
        a
    }
}
