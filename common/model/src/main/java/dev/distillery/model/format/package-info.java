/**
 * The student's files: what a model's configuration is, how its tensors are named, and readers and
 * writers of Hugging Face directories, GGUF files, PEFT adapters and llama2.c checkpoints. Files
 * are untrusted: every length is checked against the file before it is believed. Tokenizers and
 * arithmetic on weights live elsewhere.
 *
 * <p>May use: core.format.
 */
@NullMarked
package dev.distillery.model.format;

import org.jspecify.annotations.NullMarked;
