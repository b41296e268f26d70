import type { HostRequest, Logger } from '../../host.ts'
import { errorBody } from '../../protocol/api.ts'
import type { Pieces } from '../../registry/filling.ts'
import type { ComingFile, Taken } from '../../registry/ready.ts'
import { CRATE_TYPE, crateHead } from '../crate-head.ts'
import { errorHead, toldOf } from '../errors.ts'
import type { Answer } from './answers.ts'
import type { Reply } from './reply.ts'
import { cutShort, written } from './send-file.ts'

/** A `.crate` file on its way from an uplink, of which something is here. */
export interface ComingBytes {
  /** Of the whole file, if they are known yet. */
  readonly size: number | undefined
  /** To be called at once, or not at all. */
  pieces(): Pieces
}

/** As much of a request as is told of when it fails. */
export interface Joiner {
  readonly req: HostRequest
  /** Its id, where the logger does not know it by itself. */
  readonly request?: string
}

export interface JoinSpec {
  /** The headers of all answers. */
  readonly common: readonly string[]
  readonly isPublic: boolean
  /** An answer with a JSON body. */
  json(status: number, head: readonly string[], value: string): Answer
  readonly logger: Logger
}

/**
 * Answers with a file as soon as something of it is here; with what kept it away, when nothing is.
 *
 * Why: of a crowd that wants the same cold crate, context, router and streams of each take longer than all else, and
 * the last of them waits for the work of all.
 */
export function createJoins({ common, isPublic, json, logger }: JoinSpec) {
  return async function join(file: Taken<ComingFile>, { req, request }: Joiner): Promise<Answer> {
    const { cksum, sent } = file
    file.taken()
    try {
      const content = await file.join()
      const head = common.concat(crateHead({ cksum, modified: undefined }, isPublic))
      head.push('Content-Type', CRATE_TYPE)
      if (content.size !== undefined) head.push('Content-Length', String(content.size))
      return { status: 200, head, content, sent }
    } catch (thrown) {
      const { method = '', url: path = '' } = req
      const error = toldOf(thrown, { method, path, ...(request && { request }) }, logger)
      const head = [...errorHead(error), 'X-Content-Type-Options', 'nosniff']
      return json(error.status, head, JSON.stringify(errorBody([error.message])))
    }
  }
}

/**
 * Sends a file as it comes, as the body of an answer whose head is set, at the pace of its reader. The answer is cut
 * short when not all of it comes: a client never takes a part for the whole.
 * @throws {UplinkError | CargoError} what kept the rest of it away
 */
export async function sendComing(res: Reply, content: ComingBytes): Promise<void> {
  const pieces = content.pieces()
  try {
    for (let bytes = await pieces.next(); bytes !== undefined; bytes = await pieces.next())
      if (!(await written(res, bytes))) return
    if (!res.destroyed) res.end()
  } catch (error) {
    cutShort(res)
    throw error
  } finally {
    pieces.close()
  }
}
