import { hash } from 'node:crypto'
import { CargoError } from '../errors.ts'
import { MAX_PATH_BYTES } from './tar-reader.ts'
import { quote } from './text.ts'

/** Besides control characters what cargo refuses to package, as Windows gives it a meaning: `..\x`, `C:x`, `lib.rs:stream`. */
const SPECIAL = /[\p{Cc}\u2028\u2029<>:"|?*\\]/u
/** Windows drops dots and spaces at the end of a segment, so that `.. ` is `..` there. */
const DOTS = /^[. ]*$/
/** The look behind keeps it linear in long runs of dots. */
const ENDING_DOTS = /(?<![. ])[. ]+(?=\/|$)/g

/** Judges the paths of one tarball, one after the other. */
export interface PathRules {
  /**
   * The path below the crate's directory; `''` for that directory itself.
   * @throws {CargoError} `invalid_tarball` when the path leaves the directory, is ambiguous, or was there before
   */
  accept(path: string, isDirectory: boolean): string
}

/** The rules for a tarball whose every path lies under `root`, `foo-1.0.0`. */
export function pathRules(root: string): PathRules {
  const seen = new Set<string>()
  return {
    accept(path, isDirectory) {
      const plain = isDirectory && path.endsWith('/') ? path.slice(0, -1) : path
      if (!isInside(plain, root, isDirectory))
        throw new CargoError('invalid_tarball', `invalid path found: ${quote(path)}`)
      const inside = plain.slice(root.length + 1)
      refuseMarked(inside, path)
      const key = pathKey(inside)
      if (seen.has(key))
        throw new CargoError('invalid_tarball', `path occurs twice in tarball: ${quote(path)}`)
      seen.add(key)
      return inside
    },
  }
}

function isInside(path: string, root: string, isDirectory: boolean): boolean {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES || SPECIAL.test(path)) return false
  const [first, ...rest] = path.split('/')
  if (first !== root || (rest.length === 0 && !isDirectory)) return false
  return !rest.some((segment) => DOTS.test(segment))
}

/** `.cargo-ok` is cargo's own mark that a crate was unpacked: CVE-2022-36113. */
function refuseMarked(inside: string, path: string): void {
  const [top] = inside.split('/')
  if (top?.replace(ENDING_DOTS, '').toLowerCase() === '.cargo-ok') {
    throw new CargoError('invalid_tarball', `reserved path found: ${quote(path)}`)
  }
}

/** One key for all spellings that some file system takes for one file; a digest, so that long paths do not fill memory. */
function pathKey(path: string): string {
  return hash('sha256', path.replace(ENDING_DOTS, '').normalize('NFC').toUpperCase(), 'base64url')
}
