import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from '../../host.ts'
import { type Options, readsNeedLogin } from '../../options.ts'
import { errorBody } from '../../protocol/api.ts'
import { unknownCrate } from '../../protocol/decide.ts'
import { renderIndexConfig } from '../../protocol/index-config.ts'
import type { Caller } from '../../registry/access.ts'
import type { IndexFile } from '../../registry/index-file.ts'
import type { ReadyFile, ReadyIndex, Taken } from '../../registry/ready.ts'
import type { Registry } from '../../registry/registry.ts'
import { type Soon, whenHere } from '../../registry/soon.ts'
import { freshTag, gzipTag } from '../conditional.ts'
import { CRATE_TYPE, crateHead } from '../crate-head.ts'
import type { IndexForm, IndexForms } from '../index-forms.ts'
import { INDEX_TYPE, indexHead, REVALIDATE } from '../index-head.ts'
import { type ComingBytes, createJoins, type Joiner } from './joined.ts'
import type { KnownFile } from './send-file.ts'
import type { Target } from './target.ts'

/** An answer that is ready. */
export interface Answer {
  readonly status: number
  /** Names and values in turns, `Content-Length` included. */
  readonly head: readonly string[]
  /** Must be closed if it is open, and sent at once if it is still to come. */
  readonly content?: Buffer | KnownFile | ComingBytes
  /** To be told that this is the answer. */
  taken?(): void
  /** To be told once it was completely sent. */
  sent?(): void
}

export interface AnswersDeps {
  readonly options: Options
  readonly registry: Pick<Registry, 'config' | 'ready'>
  readonly forms: IndexForms
  readonly logger: Logger
}

/** What can be answered from memory; whatever it is, the ordinary route would say the same. */
export interface Answers {
  /**
   * `undefined` when it takes more than a look into memory. A `joiner` waits, if need be, for a file that is on its way.
   * @throws {CargoError} when the ordinary route has to refuse
   */
  to(caller: Caller, target: Target, headers: IncomingHttpHeaders, joiner?: Joiner): Soon<Answer | undefined>
}

type IndexTarget = Target & { readonly kind: 'index' }
type DownloadTarget = Target & { readonly kind: 'download' }

const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8']

export function createAnswers({ options, registry, forms, logger }: AnswersDeps): Answers {
  const required = readsNeedLogin(options)
  // What the ordinary route says of all it answers: see `createCors()` and `createCallerFinder()`.
  const common = required ? ['Vary', 'Authorization'] : ['Access-Control-Allow-Origin', '*']
  const commonOfIndex = required
    ? ['Vary', 'Authorization, Accept-Encoding']
    : [...common, 'Vary', 'Accept-Encoding']

  const heads = new WeakMap<IndexFile, Map<IndexForm | string, readonly string[]>>()

  /** Of whole files in memory. */
  const fileHeads = new WeakMap<Buffer, readonly string[]>()

  /** Of names that are nowhere: written once for each way to ask. */
  const absences = new WeakMap<Target, Answer>()

  function json(status: number, headers: readonly string[], value: string): Answer {
    const content = Buffer.from(value)
    const head = [...common, ...headers, ...JSON_TYPE, ...lengthOf(content)]
    return { status, head, content }
  }

  const join = createJoins({ common, isPublic: !required, json, logger })

  function absence(target: IndexTarget): Answer {
    const known = absences.get(target)
    if (known !== undefined) return known
    const answer = json(
      404,
      ['Cache-Control', 'no-store'],
      JSON.stringify(errorBody([unknownCrate(target.name).message])),
    )
    absences.set(target, answer)
    return answer
  }

  function config(caller: Caller): Answer {
    return json(200, ['Cache-Control', REVALIDATE], renderIndexConfig(registry.config(caller)).toString())
  }

  function index(
    ready: Taken<ReadyIndex>,
    target: IndexTarget,
    headers: IncomingHttpHeaders,
  ): Answer | undefined {
    const { taken } = ready
    if (!ready.found) return { ...absence(target), taken }
    const { file } = ready
    const tag = tagOf(headers, file)
    if (tag !== undefined) return { status: 304, head: headOf(file, tag), taken }
    const form = forms.ready(file, String(headers['accept-encoding'] ?? ''))
    return form && { status: 200, head: headOf(file, form), content: form.body, taken }
  }

  /** The head for a form of a file, or for whoever has the one with this tag; written once. */
  function headOf(file: IndexFile, form: IndexForm | string): readonly string[] {
    const written = heads.get(file) ?? new Map<IndexForm | string, readonly string[]>()
    const known = written.get(form)
    if (known !== undefined) return known
    const head = commonOfIndex.concat(indexHead(file))
    if (typeof form === 'string') head.push('ETag', form)
    else {
      head.push('ETag', form.etag, 'Content-Type', INDEX_TYPE, ...lengthOf(form.body))
      if (form.encoding !== undefined) head.push('Content-Encoding', form.encoding)
    }
    heads.set(file, written.set(form, head))
    return head
  }

  function download(
    caller: Caller,
    { name, version }: DownloadTarget,
    headers: IncomingHttpHeaders,
    joiner: Joiner | undefined,
  ): Soon<Answer | undefined> {
    // Who may have it already need not wait for it.
    const mayJoin = joiner !== undefined && headers['if-none-match'] === undefined
    return whenHere(registry.ready.download(caller, name, version, mayJoin), (ready) => {
      if (ready === undefined) return undefined
      return 'join' in ready ? joiner && join(ready, joiner) : file(ready, headers)
    })
  }

  function file(ready: Taken<ReadyFile>, headers: IncomingHttpHeaders): Answer {
    const { cksum, modified, taken, sent } = ready
    const content = Buffer.isBuffer(ready.content)
      ? ready.content
      : { id: `${cksum} ${modified.getTime()}`, file: ready.content }
    const known = headers['if-none-match']
    if (known !== undefined && freshTag(known, [`"${cksum}"`]) !== undefined)
      return { status: 304, head: common.concat(crateHead(ready, !required)), content, taken }
    return { status: 200, head: fileHead(ready), content, taken, sent }
  }

  /** Of the whole file; written once for one in memory, which is that of one object. */
  function fileHead(ready: ReadyFile): readonly string[] {
    const { content, size } = ready
    const written = Buffer.isBuffer(content) ? fileHeads.get(content) : undefined
    if (written !== undefined) return written
    const head = common.concat(crateHead(ready, !required))
    head.push('Content-Type', CRATE_TYPE, 'Content-Length', String(size))
    if (Buffer.isBuffer(content)) fileHeads.set(content, head)
    return head
  }

  return {
    to(caller, target, headers, joiner) {
      switch (target.kind) {
        case 'config':
          return config(caller)
        case 'index':
          return whenHere(
            registry.ready.index(caller, target.name),
            (ready) => ready && index(ready, target, headers),
          )
        case 'download':
          // Parts, and what is newer than a date, are asked for too rarely.
          if (headers.range !== undefined || headers['if-modified-since'] !== undefined) return undefined
          return download(caller, target, headers, joiner)
      }
    },
  }
}

/** The tag of the form that the client has. */
function tagOf(headers: IncomingHttpHeaders, { etag }: IndexFile): string | undefined {
  const known = headers['if-none-match']
  if (known === undefined) return undefined
  // What most clients have; ours, whose hash is known.
  if (known === etag) return etag
  return freshTag(known, [etag, gzipTag(etag)])
}

function lengthOf(body: Buffer): readonly string[] {
  return ['Content-Length', String(body.length)]
}
