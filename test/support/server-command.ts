import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE = join(import.meta.dirname, '..', '..', 'package.json')

/** Arguments for node that start `main` as `npm start` starts the built server. */
export function serverCommand(main: string, ...args: readonly string[]): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: { start: string } }
  const [, ...flags] = scripts.start.split(' ').slice(0, -1)
  return [...flags, main, ...args]
}
