/** `make`, whose results are remembered for up to `max` texts; then all are forgotten. */
export function remembered<T>(make: (text: string) => T, max: number): (text: string) => T {
  const known = new Map<string, { readonly made: T }>()
  return (text) => {
    const seen = known.get(text)
    if (seen !== undefined) return seen.made
    const made = make(text)
    if (known.size >= max) known.clear()
    known.set(text, { made })
    return made
  }
}
