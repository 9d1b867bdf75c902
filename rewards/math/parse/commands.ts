import type { Head } from './expression.ts';

/** Commands that name a constant, a set or a letter. */
export const SYMBOLS: Record<string, string> = {
  pi: 'pi',
  infty: 'infinity',
  emptyset: 'emptyset',
  varnothing: 'emptyset',
  imath: 'i',
  ell: 'l',
  R: 'reals',
};

export const GREEK = new Set(
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega triangle angle hbar'.split(
    ' ',
  ),
);

/** Accents and boxes: only their argument counts. */
export const TRANSPARENT = new Set(
  'boxed fbox overline bar hat vec tilde overrightarrow widehat underline dot'.split(' '),
);

export const SET_OPERATORS: Record<string, Head> = {
  cup: 'union',
  cap: 'intersection',
  setminus: 'difference',
  backslash: 'difference',
  bigcup: 'union',
};

export const TIMES = new Set(['times', 'cdot', 'ast', 'cdotp', 'bullet']);
export const CLOSERS = new Set([')', ']', '}', '\\}', '|', '&', '\\\\', ':']);
/** Letters that name a function where a bracket follows: f(x) and not f · x. */
export const CALLED = /^[fghFGH]'*$/;

/** Commands that cannot start a factor, and so end a product. */
export const CLOSING = new Set([
  'rfloor',
  'rceil',
  'rangle',
  'degree',
  'circ',
  'prime',
  'div',
  'pm',
  'mp',
  'over',
  'choose',
  'of',
  'cr',
  ...TIMES,
  ...Object.keys(SET_OPERATORS),
]);

/** Plain TeX's matrices, whose rows end with \cr. */
export const PLAIN_MATRICES = new Set(['matrix', 'pmatrix', 'bmatrix']);
