import { readFileSync } from 'node:fs'

/** This package's version; its `package.json` is at the same place for `src` and for `dist`. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String(version)
}
