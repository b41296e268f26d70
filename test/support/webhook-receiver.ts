import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** A secret as `openssl rand -base64 32` prints it. */
export const SECRET = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')

export interface ReceivedMessage {
  readonly id: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: {
    readonly type: string
    readonly timestamp: string
    readonly data: Record<string, unknown>
  }
  /** Whether the signature is right, by code that shares nothing with ours. */
  readonly isSigned: boolean
}

/** Somebody who is told of events, on loopback. */
export interface WebhookReceiver {
  readonly url: string
  readonly messages: ReceivedMessage[]
  /** Waits until so many messages came, at most `ms`. */
  until(count: number, ms?: number): Promise<readonly ReceivedMessage[]>
  /** The most requests that were open at a time. */
  mostAtOnce(): number
  close(): Promise<void>
}

/** Starts a receiver that answers as it is told; the number of the message counts from 1. */
export async function startReceiver(
  context: { after(done: () => Promise<void>): void },
  answer: (response: ServerResponse, n: number) => void = (response) => response.writeHead(204).end(),
  port = 0,
): Promise<WebhookReceiver> {
  const messages: ReceivedMessage[] = []
  let open = 0
  let most = 0
  const server = createServer(async (request, response) => {
    open += 1
    most = Math.max(most, open)
    response.on('close', () => open--)
    const body = await text(request)
    const { headers } = request
    const id = String(headers['webhook-id'])
    messages.push({ id, headers, body, event: JSON.parse(body), isSigned: verify(headers, body) })
    answer(response, messages.length)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  context.after(close)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    messages,
    async until(count, ms = 10_000) {
      for (const end = Date.now() + ms; messages.length < count && Date.now() < end; ) await sleep(10)
      return messages
    },
    mostAtOnce: () => most,
    close,
  }
}

/** What the README tells receivers to do. */
function verify(headers: IncomingHttpHeaders, body: string): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const mac = createHmac('sha256', Buffer.from(SECRET, 'base64')).update(signed).digest('base64')
  const isFresh = Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 300
  return isFresh && String(headers['webhook-signature']).split(' ').includes(`v1,${mac}`)
}
