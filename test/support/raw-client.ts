import { connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'

/** Longer than any answer takes that comes at all, on a busy machine too. */
const PATIENCE_MS = 10_000
/** More is not looked at. */
const ENOUGH = 1024 * 1024

/** All bytes that come over a connection of its own for a GET over HTTP/1.1, as they are, but for the date. */
export function getRaw(url: string, patience = PATIENCE_MS): Promise<string> {
  const { hostname, port, pathname, search } = new URL(url)
  return new Promise((resolve) => {
    const socket = connectTcp(Number(port), hostname)
    const chunks: Buffer[] = []
    const timer = setTimeout(() => socket.destroy(), patience)
    let failure = ''
    let length = 0
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > ENOUGH) socket.destroy()
    })
    socket.on('error', (error) => {
      failure = `\n${error.message}`
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(
        Buffer.concat(chunks)
          .toString('latin1')
          .replace(/Date: .*\r\n/i, '') + failure,
      )
    })
  })
}

/** Status, headers and body over a connection of its own for a GET over HTTP/2, and how the stream ended. */
export function getOverHttp2(url: string, patience = PATIENCE_MS): Promise<string> {
  const { origin, pathname, search } = new URL(url)
  return new Promise((resolve) => {
    const session = connect(origin, { rejectUnauthorized: false })
    const timer = setTimeout(() => session.destroy(), patience)
    const chunks: Buffer[] = []
    let head = ''
    let end = 'unended'
    let length = 0
    const stream = session.request({ ':path': pathname + search })
    session.on('error', (error) => {
      end = error.message
    })
    stream.on('response', ({ date: _, ...headers }) => {
      head = JSON.stringify(headers)
    })
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > ENOUGH) session.destroy()
    })
    stream.on('end', () => {
      end = stream.rstCode === 0 ? 'ended' : `reset ${stream.rstCode}`
    })
    stream.on('error', (error) => {
      end = error.message
    })
    stream.on('close', () => {
      clearTimeout(timer)
      session.destroy()
      resolve(`${head}\n${Buffer.concat(chunks).toString('latin1')}\n${end}`)
    })
  })
}
