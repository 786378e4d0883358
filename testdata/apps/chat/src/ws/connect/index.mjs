// Lets everybody in. Nothing can be sent to a connection before this has
// answered, so that it is remembered with its first message.
export async function handler () {
  return { statusCode: 200 }
}
