import picomatch from 'picomatch'

/**
 * A test for crate names by globs, where case and the difference of `-` and `_` do not count: `Acme-*` matches
 * `acme_log`. No globs match nothing.
 * @throws {Error} for an empty glob.
 */
export function crateMatcher(globs: readonly string[]): (crate: string) => boolean {
  if (globs.includes('')) throw new Error('invalid glob ``: must not be empty')
  const tests = globs.map((glob) => picomatch(foldGlob(glob), { dot: true, nonegate: true, posix: true }))
  return (crate) => {
    const folded = crate.toLowerCase().replaceAll('-', '_')
    return tests.some((test) => test(folded))
  }
}

/** A `-` between brackets is a range, as in `[a-z]`, and stays; an escaped bracket opens nothing. */
function foldGlob(glob: string): string {
  return glob
    .toLowerCase()
    .replace(/\\.|\[!?\^?\]?[^\]]*\]|-/gs, (part) => (part === '-' || part === '\\-' ? '_' : part))
}
