// Runs on the schedule "__NAME__".
export async function handler (event) {
  console.log(JSON.stringify(event))
}
