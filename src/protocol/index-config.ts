import { CargoError } from '../errors.ts'
import { indexPrefix } from './name.ts'

/** The `config.json` of an index. A parsed one also carries the keys this version does not know. */
export interface IndexConfig {
  /** Where `.crate` files are: an absolute URL, with {@link DL_MARKERS} or without. */
  readonly dl: string
  /** The base URL of the web API, without a final slash; absent or `null`: there is none. */
  readonly api?: string | null
  /** Whether every request needs a token. */
  readonly 'auth-required'?: boolean
}

/** What a download URL is made of. */
export interface Download {
  /** In the published case. */
  readonly name: string
  readonly version: string
  readonly cksum: string
}

/** The markers of `dl`; a `dl` without any gets `/{crate}/{version}/download` appended. */
export const DL_MARKERS = ['{crate}', '{version}', '{prefix}', '{lowerprefix}', '{sha256-checksum}'] as const

const MARKER = /\{(?:crate|version|prefix|lowerprefix|sha256-checksum)\}/g

/** The bytes of a `config.json`. */
export function renderIndexConfig(config: IndexConfig): Buffer {
  const { dl, api, 'auth-required': authRequired, ...unknown } = config
  return Buffer.from(`${JSON.stringify({ dl, api, 'auth-required': authRequired, ...unknown })}\n`)
}

/**
 * Reads a `config.json` as cargo does.
 * @throws {CargoError} `invalid_body` when cargo would refuse it, or `dl` is no absolute http URL
 */
export function parseIndexConfig(bytes: Uint8Array): IndexConfig {
  const value = parseObject(bytes)
  const { dl, api } = value
  if (typeof dl !== 'string' || !isHttpTemplate(dl)) {
    throw invalid('dl', 'must be an absolute http URL')
  }
  if (api !== undefined && api !== null && typeof api !== 'string') throw invalid('api', 'must be a string')
  if (value['auth-required'] !== undefined && typeof value['auth-required'] !== 'boolean') {
    throw invalid('auth-required', 'must be a boolean')
  }
  return value as unknown as IndexConfig
}

/** The URL cargo downloads a version from: markers replaced, nothing percent-encoded (protocol.md 1.2). */
export function downloadUrl(config: IndexConfig, { name, version, cksum }: Download): string {
  const values: Readonly<Record<string, string>> = {
    '{crate}': name,
    '{version}': version,
    '{prefix}': indexPrefix(name),
    '{lowerprefix}': indexPrefix(name.toLowerCase()),
    '{sha256-checksum}': cksum,
  }
  const marked = DL_MARKERS.some((marker) => config.dl.includes(marker))
  const template = marked ? config.dl : `${config.dl}/{crate}/{version}/download`
  return template.replace(MARKER, (marker) => values[marker] ?? marker)
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new CargoError('invalid_body', 'invalid index config: must be JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CargoError('invalid_body', 'invalid index config: must be a JSON object')
  }
  return value as Record<string, unknown>
}

function isHttpTemplate(dl: string): boolean {
  return /^https?:\/\//i.test(dl) && URL.canParse(dl.replace(MARKER, 'x'))
}

function invalid(key: string, rule: string): CargoError {
  return new CargoError('invalid_body', `invalid \`${key}\` in the index config: ${rule}`)
}
