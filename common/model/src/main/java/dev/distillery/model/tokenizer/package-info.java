/**
 * Text to token ids and back: byte-level BPE (GPT-2, SmolLM2, LLaMA 3) and SentencePiece-style BPE
 * (LLaMA 1 and 2), read from tokenizer.json, GGUF metadata or llama2.c files, or trained here; and
 * the templates that turn a dialogue into a prompt. Model weights and configurations live in {@code
 * format}.
 *
 * <p>May use: core.dialogue, core.format, model.format, model.template.
 */
@NullMarked
package dev.distillery.model.tokenizer;

import org.jspecify.annotations.NullMarked;
