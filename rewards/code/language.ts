/** Languages whose programs can be run. */
export const LANGUAGES = ['python', 'javascript', 'cpp'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Names of the languages in data sets and code fences, in lower case, with or without a version. */
const NAMES: Record<Language, RegExp> = {
  // Python 2 is excluded: its programs do not run in Python 3.
  python: /^(?:python|cpython|pypy|py)(?:[ -]?3(?:\.\d{1,3}){0,2})?$/,
  javascript: /^(?:javascript|ecmascript|js|mjs|cjs|node(?:\.?js)?)(?:[ -]?\d{1,4}(?:\.\d{1,4}){0,2})?$/,
  cpp: /^(?:(?:gnu |g\+\+ ?)?(?:c\+\+|cpp)|cxx|cc|g\+\+|gnu\+\+|clang\+\+)(?:[ -]?\d[\da-z])?$/,
};

const EXTENSIONS: Record<string, Language> = {
  py: 'python',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  cpp: 'cpp',
  cc: 'cpp',
  cxx: 'cpp',
};

const LONGEST_NAME = 40;

/** The language of a name in any case; undefined for unknown names. */
export function languageNamed(name: string): Language | undefined {
  const wanted = name.trim().toLowerCase();
  if (wanted.length > LONGEST_NAME) return undefined;
  return LANGUAGES.find((language) => NAMES[language].test(wanted));
}

/** The language of a file, by its extension. */
export function languageOfFile(name: string): Language | undefined {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return name.includes('.') && Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined;
}
