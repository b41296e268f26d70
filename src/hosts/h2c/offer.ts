import type { IncomingMessage } from 'node:http'
import type { Field } from './frames.ts'

/** A request that can go on over HTTP/2. */
export interface H2cOffer {
  /** The client's settings, as the payload of a SETTINGS frame. */
  readonly settings: Buffer
  /** The request as HTTP/2 has it. */
  readonly fields: readonly Field[]
}

/** Proxies say so of themselves, as a rule; one that passes an upgrade on must not become a tunnel past its own checks. */
const OF_PROXIES = /^(via|forwarded|x-forwarded(-.*)?|x-real-ip)$/i
/** A body would have to be read first, and `100 Continue` answered. */
const OF_BODIES = /^(content-length|transfer-encoding|trailer|expect)$/i
/** HTTP/2 has none of these (RFC 9113, 8.2.2), and `host` by another name. */
const OF_THE_CONNECTION = /^(connection|upgrade|http2-settings|keep-alive|proxy-connection|te|host)$/i
/** Node refuses more with HTTP/2. */
const MAX_FIELDS = 100

/** Whether the client offers to go on over HTTP/2, as cargo does with each request over plain http. */
export function offersH2c({ headers }: IncomingMessage): boolean {
  return /\bh2c\b/i.test(headers.upgrade ?? '') && !/\bwebsocket\b/i.test(headers.upgrade ?? '')
}

/**
 * The offer of a request; `undefined` when it is better answered over HTTP/1.1: it has a body, came through a proxy, is
 * no GET or HEAD of a path, or not quite what RFC 7540 section 3.2 wants.
 */
export function readOffer(request: IncomingMessage): H2cOffer | undefined {
  const { method, url = '', httpVersion, rawHeaders, socket } = request
  if ((method !== 'GET' && method !== 'HEAD') || httpVersion !== '1.1') return undefined
  if (!offersH2c(request) || 'encrypted' in socket || !/^\/[\x21-\x7e]*$/.test(url)) return undefined
  const headers = pairs(rawHeaders)
  const named = (pattern: RegExp) => headers.filter(([name]) => pattern.test(name)).map(([, value]) => value)
  if (headers.length > MAX_FIELDS || named(OF_PROXIES).length > 0 || named(OF_BODIES).length > 0)
    return undefined
  const options = named(/^connection$/i).flatMap((value) => value.toLowerCase().split(/[\s,]+/))
  if (!options.includes('upgrade') || !options.includes('http2-settings') || options.includes('close'))
    return undefined
  const [host = '', ...hosts] = named(/^host$/i)
  const [encoded = '', ...more] = named(/^http2-settings$/i)
  const settings = parseSettings(encoded)
  if (settings === undefined || more.length + hosts.length > 0 || !/^[\w.:[\]-]+$/.test(host))
    return undefined
  const own = headers.filter(([name]) => !OF_THE_CONNECTION.test(name))
  const pseudo = { ':method': method, ':scheme': 'http', ':authority': host, ':path': url }
  return { settings, fields: [...Object.entries(pseudo), ...own] }
}

function pairs(raw: readonly string[]): readonly Field[] {
  const fields: Field[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = raw.slice(i, i + 2)
    fields.push([name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, '')])
  }
  return fields
}

const MAX_31_BITS = 2 ** 31 - 1
/** The settings of RFC 9113 section 6.5.2, and what each may be. */
const RANGES: ReadonlyMap<number, readonly [from: number, to: number]> = new Map([
  [1, [0, 2 ** 32 - 1]],
  [2, [0, 1]],
  [3, [0, 2 ** 32 - 1]],
  [4, [0, MAX_31_BITS]],
  [5, [16_384, 2 ** 24 - 1]],
  [6, [0, 2 ** 32 - 1]],
])

/** The known ones of the settings, each once; `undefined` when they are none. */
function parseSettings(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length % 6 !== 0) return undefined
  const known = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length; at += 6) {
    const id = bytes.readUInt16BE(at)
    const value = bytes.readUInt32BE(at + 2)
    const [from, to] = RANGES.get(id) ?? []
    if (from === undefined || to === undefined) continue
    if (value < from || value > to) return undefined
    known.set(id, bytes.subarray(at, at + 6))
  }
  return Buffer.concat([...known.values()])
}
