/** Languages whose programs can be run, under the names that data sets give them. */
export const LANGUAGES = ['python', 'javascript', 'cpp'] as const;
export type Language = (typeof LANGUAGES)[number];

const NAMES: Record<Language, readonly string[]> = {
  python: ['python', 'python3', 'py', 'py3'],
  javascript: ['javascript', 'js', 'node', 'nodejs', 'mjs', 'cjs'],
  cpp: ['cpp', 'c++', 'cc', 'cxx', 'c++17', 'c++20', 'cpp17', 'cpp20', 'g++'],
};

/** The language of that name, whatever its case; undefined for any other. */
export function languageNamed(name: string): Language | undefined {
  const wanted = name.trim().toLowerCase();
  return LANGUAGES.find((language) => NAMES[language].includes(wanted));
}
