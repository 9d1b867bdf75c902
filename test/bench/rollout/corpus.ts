/**
 * The texts that the stub's completions are made of: fixed sentences as a reasoning model writes them, in English,
 * LaTeX, code and other scripts. `#` is a number.
 */

export const SENTENCES: readonly string[] = [
  // reasoning in words
  'Let me think about this step by step.',
  'Okay, so I need to find the value that satisfies the equation.',
  'Wait, let me double-check that calculation before I continue.',
  'Hmm, that does not look right; let me try another approach.',
  'First, I recall the definition of the greatest common divisor.',
  'Alternatively, we could count the complement and subtract it from the total of # cases.',
  'So the remainder when dividing # by # should be #.',
  'If we substitute # into the original expression, both sides agree.',
  'That gives # on the left and # on the right, which is a contradiction.',
  'By symmetry, it is enough to consider the case where the first number is larger.',
  'Therefore, the number of arrangements is # times #, which equals #.',
  'Suppose, for the sake of contradiction, that no such integer exists.',
  'The probability of drawing # red marbles out of # is small but not zero.',
  'Let me verify with a smaller example: with # it works, and with # it works as well.',
  'Since the sequence is increasing and bounded above by #, it converges.',
  'Actually, I made a mistake in the previous step: the sign should be negative.',
  'The triangle has sides #, # and #, so its area follows from the formula of Heron.',
  'Now consider the polynomial modulo #; its roots are # and #.',
  'The derivative vanishes at #, and the second derivative there is positive, so this is a minimum.',
  'We have to be careful here because the function is not defined at #.',
  'Adding the three equations gives # times the sum of the unknowns.',
  'Using the pigeonhole principle with # boxes, two of the # numbers share a remainder.',
  'This matches the earlier result, so I am fairly confident about it.',
  'On the other hand, if the number is odd, the argument does not apply.',
  'Let me recompute: # plus # minus # is indeed #.',
  'The average speed is the distance of # kilometres divided by # hours.',
  'It remains to show that the inequality is strict for every value above #.',
  'We can rewrite the sum as a telescoping series, in which most terms cancel.',
  'By induction, assume that the claim holds for # and consider #.',
  'Putting everything together, the total comes out as #.',
  'Is there any other possibility that I have overlooked? Let me list all # of them.',
  'The common difference is #, so the term number # is #.',
  'Both factors must be divisors of #, and only # of them are positive.',
  'A quick sanity check: the result should be between # and #, and it is.',
  // LaTeX
  'Hence \\( x^2 - # x + # = 0 \\) and \\( x = \\frac{# \\pm \\sqrt{#}}{2} \\).',
  '\\[ \\sum_{k=1}^{#} k^2 = \\frac{n(n+1)(2n+1)}{6} \\]',
  'We know that $\\binom{#}{#} = \\frac{n!}{k!(n-k)!}$ for all $0 \\le k \\le n$.',
  '$$\\int_0^{#} \\left(# x^2 + # x\\right) \\, dx = \\left[ \\frac{#}{3} x^3 \\right]_0^{#}$$',
  'so $\\gcd(#, #) = \\gcd(#, #) = #$ by the Euclidean algorithm',
  '\\begin{align*} a + b &= # \\\\ a - b &= # \\end{align*}',
  'where $\\theta \\approx #^\\circ$ and $\\cos\\theta = \\frac{#}{#}$',
  '$\\Rightarrow\\; p \\equiv # \\pmod{#}$, i.e. $p \\in \\{#, #, #\\}$',
  '\\(\\mathbb{P}(A \\cap B) = \\mathbb{P}(A)\\,\\mathbb{P}(B \\mid A) = \\tfrac{#}{#}\\)',
  'thus $\\overline{AB} \\perp \\overline{CD}$ and $\\angle ABC = #^\\circ$',
  // code
  '```python\ndef count(n):\n    total = 0\n    for i in range(#, n + 1):\n        if i % # == 0:\n            total += i\n    return total\n```',
  'for (let i = #; i < values.length; i++) { sum += values[i] * #; }',
  'print(sum(x * x for x in range(#)))  # expected #',
  'assert solve([#, #, #]) == #, "wrong for the first sample"',
  '    while (low < high) {\n        int mid = low + (high - low) / 2;\n        if (check(mid)) high = mid; else low = mid + 1;\n    }',
  '>>> math.comb(#, #) % #\n#',
  // tables and lists
  '| n | f(n) | f(n) mod # |\n|---|---|---|\n| # | # | # |\n| # | # | # |',
  '1. Case #: both numbers are even.\n2. Case #: exactly one of them is even.\n3. Case #: both are odd.',
  '- total: #\n- counted twice: #\n- remaining: #',
  '**Step #.** Simplify the expression and collect like terms.',
  // other scripts
  '让我们重新考虑这个问题，首先设未知数为 x，则方程变为 # x = #。',
  '因此答案应该是 #，不过我需要再验证一下。',
  'Рассмотрим остаток при делении на #: он равен #.',
  'Следовательно, искомое число не превосходит #.',
  'まず、与えられた条件から # 通りの場合が考えられます。',
  'إذن مجموع الأعداد يساوي # ونحتاج إلى التحقق من ذلك.',
  'Άρα η λύση είναι μοναδική και ισούται με #.',
  'तो कुल संख्या # है, जो # से विभाज्य है।',
  '따라서 나머지는 #이고, 검산하면 맞습니다.',
  'Donc la somme des # premiers termes vaut #, ce qui était attendu.',
  'Daher ist die Anzahl der Möglichkeiten gleich #, wie oben gezeigt.',
];

/** Problems of the prompts; each has the answer that `answerOf` names. */
export interface Problem {
  problem: string;
  answer: string;
  /** wrong, and close to the answer */
  wrong: string;
}

/** The problem with this number; different numbers give different problems. */
export function problemOf(number: number): Problem {
  const [a, b, c] = [17 + (number % 971), 3 + (Math.floor(number / 7) % 89), 2 + (number % 13)];
  const tag = `Exercise ${number + 1}.`;
  switch (number % 4) {
    case 0:
      return {
        problem: `${tag} A shop sells ${a} boxes with ${b} pencils each, and ${c} pencils are left over. How many pencils are there?`,
        answer: String(a * b + c),
        wrong: String(a * b + c + 1),
      };
    case 1:
      return {
        problem: `${tag} Write the sum $\\frac{${c}}{${b}} + \\frac{1}{${a}}$ as one fraction.`,
        answer: `\\frac{${c * a + b}}{${a * b}}`,
        wrong: `\\frac{${c * a + b}}{${a * b + 1}}`,
      };
    case 2:
      return {
        problem: `${tag} Expand $(x + ${a})(x - ${b})$ and collect like terms.`,
        answer: `x^2+${a - b}x-${a * b}`.replace('+-', '-'),
        wrong: `x^2+${a - b}x-${a * b + c}`.replace('+-', '-'),
      };
    default:
      return {
        problem: `${tag} For which positive $x$ does $x^2 = ${a * a * c}$ hold?`,
        answer: `${a}\\sqrt{${c}}`,
        wrong: `${a + 1}\\sqrt{${c}}`,
      };
  }
}
