// What people do on a chat page.

// join enters a name, which the page asks for first.
export async function join(page, nick) {
  await page.getByLabel("Your name").fill(nick);
  await page.getByRole("button", { name: "Join" }).click();
  await connected(page);
}

export const connected = (page) => page.locator("#state[data-state=open]").waitFor();

export async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}
