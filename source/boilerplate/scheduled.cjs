// Runs on the schedule "__NAME__".
exports.handler = async function handler (event) {
  console.log(JSON.stringify(event))
}
