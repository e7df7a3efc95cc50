/**
 * The one interface to a model that answers, and its implementations: an OpenAI-compatible server
 * over HTTP, a GGUF file run by llama.cpp, recorded replies. One call is one attempt: retries,
 * limits, budgets and the ledger belong to the fan-out in `common/spark`.
 *
 * <p>May use: core.dialogue, core.format, core.run.
 */
@NullMarked
package dev.distillery.core.teacher;

import org.jspecify.annotations.NullMarked;
