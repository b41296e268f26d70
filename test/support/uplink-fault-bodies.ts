import { createHash } from 'node:crypto'
import { constants, gzipSync } from 'node:zlib'
import { crateFile } from './crate-file.ts'
import { between, type Random, randomBytesFrom } from './random.ts'
import type { FaultContext, FaultMode, UplinkAnswer } from './uplink-faults.ts'

export interface BodyContext extends FaultContext {
  readonly random: Random
}

const HTML = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n'
const MiB = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000

/** The well-framed answer that a fault makes of the right one. */
export function faultyAnswer(right: UplinkAnswer, fault: FaultMode, context: BodyContext): UplinkAnswer {
  switch (fault.mode) {
    case 'clean-cut':
      return { ...right, body: right.body.subarray(0, fault.at ?? middleOfLastLine(right)) }
    case 'extra-bytes':
      return { ...right, body: Buffer.concat([right.body, Buffer.from('{"extra')]) }
    case 'flip-byte':
      return {
        ...right,
        body: flipped(right.body, fault.at ?? between(context.random, 0, right.body.length)),
      }
    case 'wrong-crate':
      return { ...right, body: crateFile('another-crate', '1.0.0').bytes() }
    case 'html200':
      return foreign('text/html; charset=utf-8', HTML)
    case 'empty200':
      return { ...right, body: Buffer.alloc(0) }
    case 'json-error-200':
      return foreign('application/json', '{"errors":[{"detail":"something went wrong"}]}\n')
    case 'old-index':
    case 'removed-line':
    case 'changed-cksum':
    case 'dup-line':
    case 'foreign-lines':
    case 'bom':
    case 'crlf':
    case 'no-final-newline':
      return changedIndex(right, fault, context.random)
    case 'gz-garbage':
    case 'gz-bomb':
    case 'n-encodings':
    case 're-encoded':
      return encoded(right, fault, context.random)
    default:
      return withStatus(right, fault, context)
  }
}

/** Some other status, with what belongs to it. */
function withStatus(right: UplinkAnswer, fault: FaultMode, { url, rightUrl }: BodyContext): UplinkAnswer {
  const answer = (status: number, headers: Readonly<Record<string, string>>, body = ''): UplinkAnswer => ({
    kind: right.kind,
    status,
    headers,
    body: Buffer.from(body),
  })
  switch (fault.mode) {
    case '206': {
      const half = Math.ceil(right.body.length / 2)
      const range = { 'content-range': `bytes 0-${half - 1}/${right.body.length}` }
      return {
        ...right,
        status: 206,
        headers: { ...right.headers, ...range },
        body: right.body.subarray(0, half),
      }
    }
    case '204':
    case '304':
      return { ...right, status: Number(fault.mode) }
    case '301':
    case '302':
    case '303':
    case '307':
    case '308':
      return answer(Number(fault.mode), { location: fault.location ?? rightUrl })
    case 'redirect-loop':
      return answer(302, { location: url })
    case '429':
      return answer(429, { 'retry-after': String(fault.retryAfter ?? 7) }, 'too many requests\n')
    default:
      return fault.mode === 'ok'
        ? right
        : answer(Number(fault.mode), { 'content-type': 'text/plain' }, 'fault\n')
  }
}

function encoded(right: UplinkAnswer, fault: FaultMode, random: Random): UplinkAnswer {
  const as = (encoding: string, body: Buffer): UplinkAnswer => ({
    ...right,
    headers: { ...right.headers, 'content-encoding': encoding },
    body,
  })
  switch (fault.mode) {
    case 'gz-bomb':
      return as('gzip', bomb(fault.bytes ?? 1024 * MiB))
    case 'n-encodings': {
      const count = fault.count ?? 50
      let { body } = right
      for (let i = 0; i < count; i++) body = gzipSync(body, { level: constants.Z_BEST_SPEED })
      return as(Array.from({ length: count }, () => 'gzip').join(', '), body)
    }
    case 're-encoded':
      return as('gzip', fault.packed === true ? gzipSync(right.body) : right.body)
    default:
      return as('gzip', randomBytesFrom(random, Math.max(64, right.body.length)))
  }
}

/** gzip members one after the other, of a MiB each: a thousandth of what they unpack to. */
function bomb(bytes: number): Buffer {
  const member = gzipSync(Buffer.alloc(MiB, '\n'), { level: constants.Z_BEST_COMPRESSION })
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / MiB) }, () => member))
}

function changedIndex(right: UplinkAnswer, fault: FaultMode, random: Random): UplinkAnswer {
  const lines = right.body.toString().split('\n').filter(Boolean)
  const chosen = (line = between(random, 0, lines.length)) => line
  switch (fault.mode) {
    case 'old-index': {
      // A crate with one version keeps it: an empty file would be another fault.
      const kept = Math.max(1, lines.length - (fault.versions ?? 1))
      return withText(right, text(lines.slice(0, kept)), -DAY_MS)
    }
    case 'removed-line':
      return withText(right, text(lines.toSpliced(chosen(fault.line), 1)), DAY_MS)
    case 'changed-cksum': {
      const at = chosen(fault.line)
      return withText(right, text(lines.with(at, withOtherCksum(lines.at(at) ?? '', random))), DAY_MS)
    }
    case 'dup-line':
      return withText(
        right,
        text([...lines, withOtherCksum(lines.at(chosen(fault.line)) ?? '', random)]),
        DAY_MS,
      )
    case 'foreign-lines': {
      const renamed = lines.map(withOtherName)
      const mixed = [...lines, ...renamed.slice(0, 1)]
      return withText(right, text(fault.mixed === true ? mixed : renamed), DAY_MS)
    }
    case 'bom':
      return withText(right, `\ufeff${text(lines)}`, 0)
    case 'crlf':
      return withText(right, text(lines).replaceAll('\n', '\r\n'), 0)
    default:
      return withText(right, text(lines).trimEnd(), 0)
  }
}

/** An answer that its server believes in: validators of its own, younger or older than those of the right one. */
function withText(right: UplinkAnswer, body: string, younger: number): UplinkAnswer {
  const { etag, 'last-modified': modified, ...headers } = right.headers
  const digest = createHash('sha256').update(body).digest('hex')
  return {
    ...right,
    headers: {
      ...headers,
      ...(etag !== undefined && { etag: `"${digest}"` }),
      ...(modified !== undefined && {
        'last-modified': new Date(Date.parse(modified) + younger).toUTCString(),
      }),
    },
    body: Buffer.from(body),
  }
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function withOtherCksum(line: string, random: Random): string {
  return line.replace(/"cksum":\s*"[0-9a-f]*"/, `"cksum":"${randomBytesFrom(random, 32).toString('hex')}"`)
}

function withOtherName(line: string): string {
  return line.replace(/"name":\s*"[^"]*"/, '"name":"another-crate"')
}

function foreign(type: string, body: string): UplinkAnswer {
  return { kind: 'other', status: 200, headers: { 'content-type': type }, body: Buffer.from(body) }
}

function middleOfLastLine({ kind, body }: UplinkAnswer): number {
  if (kind !== 'index') return Math.floor(body.length / 2)
  const start = body.subarray(0, -1).lastIndexOf('\n') + 1
  return start + Math.floor((body.length - start) / 2)
}

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
