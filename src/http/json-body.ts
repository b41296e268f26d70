import { HttpMethodEnum, koaBody } from 'koa-body'
import { CargoError } from '../errors.ts'
import type { CargoContext } from './context.ts'
import { within } from './paced-body.ts'
import { letContinue } from './upload.ts'

/** Owner lists and wishes for tokens are short; a larger body is neither. */
const MAX_JSON_KIB = 64

/** Reads the JSON that a request brings within `timeoutMs`, for `ctx.request.body`. */
export function createJsonReader(timeoutMs: number) {
  const parse = koaBody({
    parsedMethods: [HttpMethodEnum.PUT, HttpMethodEnum.POST, HttpMethodEnum.DELETE],
    json: true,
    urlencoded: false,
    text: false,
    multipart: false,
    jsonLimit: `${MAX_JSON_KIB}kb`,
    onError: (error) => {
      if ('status' in error && error.status === 413)
        throw new CargoError('too_large', `the body is larger than ${MAX_JSON_KIB} KiB`)
      throw new CargoError('invalid_request', `the body is not the JSON that is wanted: ${error.message}`)
    },
  })

  /** @throws {CargoError} `invalid_request`, `too_large` or `request_timeout` */
  return async function readJson(ctx: CargoContext): Promise<void> {
    if (ctx.is('json', '+json') === false)
      throw new CargoError(
        'invalid_request',
        'the body must be JSON, sent with `Content-Type: application/json`',
      )
    letContinue(ctx)
    await within(
      parse(ctx as never, async () => {}),
      timeoutMs,
    )
  }
}
