package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;

/** Which keys of config.json may be left unread, in any family. */
final class ConfigKeys {
  /** Keys that change neither logits nor gradients, in any family. */
  private static final Set<String> IGNORABLE =
      Set.of(
          // Who wrote the file, and how the weights are stored.
          "architectures",
          "_name_or_path",
          "name_or_path",
          "transformers_version",
          "transformers.js_config",
          "unsloth_version",
          "unsloth_fixed",
          "torch_dtype",
          "dtype",
          "torchscript",
          "model_name",
          "is_llama_config",
          // Tokens, which SpecialTokens reads, and tokenizers.
          "bos_token_id",
          "eos_token_id",
          "pad_token_id",
          "sep_token_id",
          "cls_token_id",
          "unk_token_id",
          "tokenizer_class",
          "prefix",
          // How transformers runs: caches, kernels, outputs, parallel layouts.
          "use_cache",
          "cache_implementation",
          "attn_implementation",
          "_attn_implementation",
          "_attn_implementation_autoset",
          "_attn_implementation_internal",
          "gradient_checkpointing",
          "output_attentions",
          "output_hidden_states",
          "return_dict",
          "use_return_dict",
          "chunk_size_feed_forward",
          "reorder_and_upcast_attn",
          "base_model_tp_plan",
          "base_model_pp_plan",
          // Training: dropout is the trainer's choice here.
          "attention_dropout",
          "hidden_dropout",
          "attn_pdrop",
          "embd_pdrop",
          "resid_pdrop",
          "keys_to_ignore_at_inference",
          // Heads for other tasks.
          "id2label",
          "label2id",
          "num_labels",
          "problem_type",
          "finetuning_task",
          "task_specific_params",
          "summary_activation",
          "summary_first_dropout",
          "summary_proj_to_labels",
          "summary_type",
          "summary_use_proj",
          // What has been given twice, or is for older versions of the family.
          "n_ctx",
          "n_special",
          "predict_special_tokens",
          "max_window_layers",
          "sliding_window_pattern",
          "_sliding_window_pattern",
          "no_rope_layer_interval");

  /** Switches of other families, which say here that there is none of it. */
  private static final Set<String> IGNORABLE_WHEN_FALSE =
      Set.of(
          "attention_bias",
          "mlp_bias",
          "qkv_bias",
          "use_sliding_window",
          "use_bidirectional_attention",
          "rope_interleaved",
          "add_cross_attention",
          "is_decoder",
          "is_encoder_decoder",
          "use_mrope",
          "use_qk_norm",
          "tie_encoder_decoder",
          "scale_attn_by_inverse_layer_idx");

  private ConfigKeys() {}

  /** Whether a key of this value changes neither logits nor gradients. */
  static boolean changeNothing(String key, JsonNode value) {
    boolean off = value.isBoolean() && !value.booleanValue();
    return IGNORABLE.contains(key) || (off && IGNORABLE_WHEN_FALSE.contains(key));
  }
}
