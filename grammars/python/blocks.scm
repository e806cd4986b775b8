; @simple statements that stand side by side form a run; @jump ends its run; @idle ones, such as
; docstrings, do not begin one.
[(assert_statement) (break_statement) (continue_statement) (delete_statement) (expression_statement)
 (future_import_statement) (global_statement) (import_from_statement) (import_statement)
 (nonlocal_statement) (pass_statement) (raise_statement) (return_statement)
 (type_alias_statement)] @simple
(function_definition) @simple
(class_definition) @simple
(decorated_definition) @simple
(expression_statement . (string) .) @idle
(return_statement) @jump
(raise_statement) @jump
(break_statement) @jump
(continue_statement) @jump

(if_statement condition: (_) @condition)
(elif_clause condition: (_) @condition)
(while_statement condition: (_) @condition)
(match_statement subject: (_) @condition)
(for_statement body: (_) @loop.body) @loop
(with_statement body: (_) @with.body) @with
(except_clause (block) @handler.body) @handler

; Bodies: a name in one that no block there holds is no name of the block around the definition.
(function_definition body: (block) @body)
(class_definition body: (block) @body)

; Names.  What is neither @label nor @write is read.
(identifier) @identifier

(attribute attribute: (identifier) @label)
(keyword_argument name: (identifier) @label)
(parameters [(identifier) @label
             (default_parameter name: (identifier) @label)
             (typed_parameter (identifier) @label)
             (typed_default_parameter name: (identifier) @label)
             (typed_parameter (list_splat_pattern (identifier) @label))
             (typed_parameter (dictionary_splat_pattern (identifier) @label))
             (list_splat_pattern (identifier) @label)
             (dictionary_splat_pattern (identifier) @label)])
(lambda_parameters [(identifier) @label
                    (default_parameter name: (identifier) @label)
                    (list_splat_pattern (identifier) @label)
                    (dictionary_splat_pattern (identifier) @label)])
(for_in_clause left: (identifier) @label)
(for_in_clause left: (_ (identifier) @label))
(for_in_clause left: (_ (_ (identifier) @label)))
(import_from_statement module_name: (dotted_name (identifier) @label))
(import_from_statement module_name: (relative_import (dotted_name (identifier) @label)))
(aliased_import name: (dotted_name (identifier) @label))
(aliased_import alias: (identifier) @write)
(import_from_statement name: (dotted_name (identifier) @write))
(import_statement name: (dotted_name . (identifier) @write))
(import_statement name: (dotted_name (identifier) (identifier) @label))

(assignment left: (identifier) @write)
(pattern_list (identifier) @write)
(tuple_pattern (identifier) @write)
(list_pattern (identifier) @write)
(list_splat_pattern (identifier) @write)
(augmented_assignment left: (identifier) @update)
(for_statement left: (identifier) @write)
(as_pattern_target [(identifier) @write
                    (tuple (identifier) @write)
                    (list (identifier) @write)])
(named_expression name: (identifier) @write)
(function_definition name: (identifier) @write)
(class_definition name: (identifier) @write)

; May be changed in place.
(call function: (attribute object: (identifier) @update))
(assignment left: (subscript value: (identifier) @update))
(assignment left: (subscript value: (subscript value: (identifier) @update)))
(assignment left: (attribute object: (identifier) @update))
(assignment left: (_ (subscript value: (identifier) @update)))
(assignment left: (_ (attribute object: (identifier) @update)))
(augmented_assignment left: (subscript value: (identifier) @update))
(augmented_assignment left: (attribute object: (identifier) @update))
(delete_statement (subscript value: (identifier) @update))
