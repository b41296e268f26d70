import { z } from 'zod'

/** A list of names as Verdaccio takes it: an array, or text with spaces between them. */
export const names = z.union([z.string(), z.array(z.string())]).transform(splitNames)

function splitNames(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : value
}
