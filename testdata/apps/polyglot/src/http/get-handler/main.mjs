export async function run () { return { body: "handler" } }
