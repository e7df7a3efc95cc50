// check.mjs PAGE…: opens pages in Chromium by light and by dark and prints what axe-core finds.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let found = 0;
for (const file of process.argv.slice(2)) {
  for (const scheme of ["light", "dark"]) {
    const page = await browser.newPage();
    // The page forbids every script but its own; the check is none of its visitors.
    await page.setBypassCSP(true);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto(pathToFileURL(file).href);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run());
    for (const each of violations) {
      found += each.nodes.length;
      console.log(`${file} ${scheme}: ${each.id}, ${each.impact}, ${each.nodes.length} places: ${each.help}: ${each.nodes[0].html.slice(0, 160)}`);
    }
    console.log(`${file} ${scheme}: ${violations.length} rules broken`);
    await page.close();
  }
}
await browser.close();
process.exit(found > 0 ? 1 : 0);
