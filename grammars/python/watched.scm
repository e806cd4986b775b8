; Places that use words, and names that the text binds itself.

(identifier) @name
(string_content) @text
(attribute object: (_) @object attribute: (identifier) @member)
(except_clause . "except" . ":") @swallows

(function_definition name: (identifier) @bound)
(class_definition name: (identifier) @bound)
(parameters (identifier) @bound)
(lambda_parameters (identifier) @bound)
(default_parameter name: (identifier) @bound)
(typed_parameter (identifier) @bound)
(typed_default_parameter name: (identifier) @bound)
(assignment left: (identifier) @bound)
(assignment left: (pattern_list (identifier) @bound))
(assignment left: (attribute attribute: (identifier) @bound))
(for_statement left: (identifier) @bound)
(for_in_clause left: (identifier) @bound)
