import { createHmac } from 'node:crypto'

/** What is signed, and how it is named. */
export interface SignedMessage {
  /** The same at every attempt. */
  readonly id: string
  /** When it is sent, in seconds since 1970: receivers refuse what is old. */
  readonly timestamp: number
  readonly body: string
}

/**
 * The headers that let a receiver tell that a message is ours, by the Standard Webhooks specification.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @param secret base64, with or without `whsec_` before it
 */
export function signatureHeaders(secret: string, { id, timestamp, body }: SignedMessage) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  } as const
}
